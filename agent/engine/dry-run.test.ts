/** The dry run as proof: every probe of a scan is listed exactly once, whole or in parts, in the order of the engine. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { addressSetOf, type AddressSet } from "#shared/net/address-set.ts";
import { formatIpv4 } from "#shared/net/ipv4.ts";
import type { NumberRange } from "#shared/net/ranges.ts";
import { parseTargets } from "#shared/net/target-spec.ts";
import type { Shard } from "./plan.ts";
import { markAnswered, newAnsweredSet } from "./dedup.ts";
import { dryRunChunks, type Positions, RECORD_BYTES } from "./dry-run.ts";
import { type LaneWindow, laneWindow, shardSize } from "./targets/lane.ts";
import { newPermutation, type Permutation, permute } from "./targets/permutation.ts";
import { hostQuestion, portQuestions } from "./targets/questions.ts";
import { buildSpace, type ProbeSpace } from "./targets/space.ts";
import { stretchesOf } from "./targets/stretches.ts";
import { seededRandom } from "./testing/seeded-random.ts";

const NO_PORTS: readonly NumberRange[] = [];

interface Order {
  readonly space: ProbeSpace;
  readonly permutation: Permutation;
}

function orderOf(
  addresses: AddressSet,
  tcp: readonly NumberRange[],
  udp: readonly NumberRange[] = NO_PORTS,
  seed = 7,
): Order {
  // Two payloads a UDP port, as some have.
  const space = buildSpace(
    stretchesOf(addresses),
    portQuestions(tcp, udp, () => [1, 2]),
  );
  return { space, permutation: newPermutation(space.size, seed) };
}

function whole({ space }: Order, from = 0): [Positions] {
  return [{ lane: laneOf(space.size, { index: 0, count: 1 }, 0, 1), from }];
}

function laneOf(size: number, shard: Shard, lane: number, lanes: number): LaneWindow {
  const answered = newAnsweredSet(shardSize(size, shard));
  return laneWindow({ permutation: { size }, shard, answered }, 0, 0, lane, lanes);
}

function lines(order: Order, positions = whole(order), answered?: Int32Array): string[] {
  const { space, permutation } = order;
  const decoder = new TextDecoder();
  const text = [...dryRunChunks(space, permutation, positions, answered, "text")]
    .map((chunk) => decoder.decode(chunk))
    .join("");
  return text.split("\n").slice(0, -1);
}

/** A bit a probe, set as the records of a listing say. Counts what comes twice. */
class Coverage {
  readonly seen: Uint8Array;
  records = 0;
  repeated = 0;
  private readonly first: number;
  private readonly count: number;
  private readonly ports: readonly number[];

  constructor(first: number, count: number, ports: readonly number[]) {
    this.first = first;
    this.count = count;
    this.ports = ports;
    this.seen = new Uint8Array(Math.ceil((count * ports.length) / 8));
  }

  add(chunk: Uint8Array): void {
    const { first, count, ports, seen } = this;
    let repeated = 0;
    for (let at = 0; at < chunk.length; at += RECORD_BYTES) {
      const high = ((chunk[at] ?? 0) << 24) | ((chunk[at + 1] ?? 0) << 16);
      const host = ((high | ((chunk[at + 2] ?? 0) << 8) | (chunk[at + 3] ?? 0)) >>> 0) - first;
      const port = ports.indexOf(((chunk[at + 4] ?? 0) << 8) | (chunk[at + 5] ?? 0));
      if (host < 0 || host >= count || port < 0) throw new Error("a probe that nobody asked for");
      const bit = port * count + host;
      const byte = seen[bit >>> 3] ?? 0;
      repeated += (byte >>> (bit & 7)) & 1;
      seen[bit >>> 3] = byte | (1 << (bit & 7));
    }
    this.records += chunk.length / RECORD_BYTES;
    this.repeated += repeated;
  }
}

/** Addresses from 10.0.0.0 on with these ports, and the bits of their probes. */
function covered(count: number, ports: readonly number[]): { order: Order; coverage: Coverage } {
  const first = 0x0a00_0000;
  const order = orderOf(
    addressSetOf([{ first, last: first + count - 1 }], []),
    ports.map((port) => ({ first: port, last: port })),
  );
  return { order, coverage: new Coverage(first, count, ports) };
}

describe("every probe once, by bitmap", () => {
  test("a /8 with five ports", () => {
    const { order, coverage } = covered(2 ** 24, [22, 80, 443, 8_080, 65_535]);
    for (const chunk of dryRunChunks(order.space, order.permutation, whole(order), undefined, "binary")) {
      coverage.add(chunk);
    }
    expect([coverage.records, coverage.repeated]).toEqual([5 * 2 ** 24, 0]);
  }, 60_000);

  test.each([7, 19, 258])("all of %d shards together", (count) => {
    const { order, coverage } = covered(2 ** 18 + 3, [22, 80, 443]);
    const { space, permutation } = order;
    for (let index = 0; index < count; index++) {
      const before = coverage.records;
      // Two senders each.
      const positions = [0, 1].map((lane) => ({
        lane: laneOf(space.size, { index, count }, lane, 2),
        from: 0,
      }));
      for (const chunk of dryRunChunks(space, permutation, positions, undefined, "binary"))
        coverage.add(chunk);
      expect(coverage.records - before).toBe(shardSize(space.size, { index, count }));
    }
    expect([coverage.records, coverage.repeated]).toEqual([space.size, 0]);
  });

  test("stopped at random points and taken up again at each", () => {
    for (const seed of [1, 2, 3]) {
      const random = seededRandom(seed);
      const { order, coverage } = covered(2 ** 16 + 1, [22, 80, 443]);
      const { space, permutation } = order;
      for (let from = 0; from < space.size;) {
        const to = Math.min(space.size, from + 1 + Math.floor(random() * 20_000));
        const [{ lane }] = whole(order);
        const positions = [{ lane: { ...lane, count: to }, from }];
        for (const chunk of dryRunChunks(space, permutation, positions, undefined, "binary"))
          coverage.add(chunk);
        from = to;
      }
      expect([coverage.records, coverage.repeated]).toEqual([space.size, 0]);
    }
  });
});

test("from any position on, it lists the rest", () => {
  const order = orderOf(parseTargets(["10.0.0.0/27"]), [{ first: 1, last: 5 }]);
  const all = lines(order);
  fc.assert(
    fc.property(fc.nat(all.length + 3), (from) => {
      expect(lines(order, whole(order, from))).toEqual(all.slice(from));
    }),
  );
});

test("text has a line a question, of both families and protocols", () => {
  const order = orderOf(
    parseTargets(["10.0.0.1", "10.0.0.3-4", "2001:db8::fffe-2001:db8::1:1"]),
    [{ first: 80, last: 81 }],
    [{ first: 53, last: 53 }],
  );
  const addresses = ["10.0.0.1", "10.0.0.3", "10.0.0.4"];
  addresses.push("2001:db8::fffe", "2001:db8::ffff", "2001:db8::1:0", "2001:db8::1:1");
  expect(lines(order).toSorted()).toEqual(
    addresses.flatMap((address) => [`${address} 53/udp`, `${address} 80`, `${address} 81`]).toSorted(),
  );
});

test("hosts are listed by address alone", () => {
  const space = buildSpace(stretchesOf(parseTargets(["10.0.0.0/30"])), hostQuestion());
  const listed = lines({ space, permutation: newPermutation(space.size, 3) });
  expect(listed.toSorted()).toEqual(["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3"]);
});

test("the order is the permutation's", () => {
  const order = orderOf(parseTargets(["10.0.0.0/26"]), [{ first: 1, last: 9 }]);
  const { size, a, b, key0, key1 } = order.permutation;
  const expected = Array.from({ length: size }, (_, position) => {
    const index = permute(position, size, a, b, key0, key1);
    return `${formatIpv4(0x0a00_0000 + Math.floor(index / 9))} ${(index % 9) + 1}`;
  });
  expect(lines(order)).toEqual(expected);
});

test("binary says the same as text", () => {
  const order = orderOf(parseTargets(["10.0.0.0/24", "192.0.2.7", "223.255.255.0/25"]), [
    { first: 1, last: 80 },
    { first: 65_535, last: 65_535 },
  ]);
  const records: string[] = [];
  for (const chunk of dryRunChunks(order.space, order.permutation, whole(order), undefined, "binary")) {
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < chunk.length; at += RECORD_BYTES) {
      records.push(`${formatIpv4(view.getUint32(at))} ${view.getUint16(at + 4)}`);
    }
  }
  expect(records).toEqual(lines(order));
});

test("shards, and the senders of a shard, share the probes out without gap or overlap", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(),
      (count, lanes, seed) => {
        const order = orderOf(
          parseTargets(["10.0.0.0/27", "2001:db8::/123"]),
          [{ first: 1, last: 5 }],
          NO_PORTS,
          seed,
        );
        const parts = Array.from({ length: count }, (_, index) =>
          Array.from({ length: lanes }, (_, lane) =>
            lines(order, [{ lane: laneOf(order.space.size, { index, count }, lane, lanes), from: 0 }]),
          ),
        );
        expect(parts.flat(2).toSorted()).toEqual(lines(order).toSorted());
      },
    ),
    { numRuns: 50 },
  );
});

test("what was answered is left out", () => {
  const order = orderOf(parseTargets(["10.0.0.0/30"]), [{ first: 80, last: 80 }]);
  const answered = newAnsweredSet(order.space.size);
  markAnswered(answered.words, 2);
  expect(lines(order, whole(order), answered.words)).toEqual(lines(order).toSpliced(2, 1));
});

test("binary refuses what its records cannot hold", () => {
  const binary = (order: Order): Uint8Array[] => [
    ...dryRunChunks(order.space, order.permutation, whole(order), undefined, "binary"),
  ];
  const port = [{ first: 53, last: 53 }];
  expect(() => binary(orderOf(parseTargets(["2001:db8::1"]), port))).toThrow("IPv4");
  expect(() => binary(orderOf(parseTargets(["10.0.0.1"]), NO_PORTS, port))).toThrow("TCP");
});
