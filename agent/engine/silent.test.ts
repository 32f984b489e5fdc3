/** Questions that never were answered: exactly those of the shard that gave nothing. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { markAnswered } from "./dedup.ts";
import { REASON_NAMES } from "./packet/reason.ts";
import type { WorkerPlan } from "./plan.ts";
import type { AnswerRecord } from "./records.ts";
import { silentQuestions } from "./silent.ts";
import { shardSize } from "./targets/lane.ts";
import { addressesOf, aPlan, learnHop, readyNeighbours } from "./testing/plan.ts";
import { permute, unpermute } from "./targets/permutation.ts";

const chunks = (plan: WorkerPlan): AnswerRecord[][] => [...silentQuestions(plan)];
const name = ({ addressNumber, question, reason }: AnswerRecord): string =>
  `${addressNumber} ${question} ${REASON_NAMES[reason]}`;

describe("silentQuestions", () => {
  test("lists what is of the shard and not answered, in the order of the scan", () => {
    const side = fc.integer({ min: 1, max: 12 });
    const answered = fc.array(fc.nat(143), { maxLength: 100 });
    const shard = fc
      .integer({ min: 1, max: 4 })
      .chain((count) => fc.record({ count: fc.constant(count), index: fc.nat(count - 1) }));
    fc.assert(
      fc.property(side, side, answered, shard, (addresses, ports, answered, shard) => {
        fc.pre(shard.index < addresses * ports);
        const tcpPorts = [{ first: 100, last: 99 + ports }];
        const plan = aPlan({ addresses: addressesOf(addresses), tcpPorts, shard });
        const { size, a, b, key0, key1 } = plan.permutation;
        const count = shardSize(size, shard);
        const marked = new Set(answered.map((position) => position % count));
        for (const position of marked) markAnswered(plan.answered.words, position);

        const expected: string[] = [];
        for (let position = 0; position < count; position++) {
          if (marked.has(position)) continue;
          const index = permute(shard.index + position * shard.count, size, a, b, key0, key1);
          expected.push(`${Math.floor(index / ports)} ${index % ports} no-response`);
        }
        expect(chunks(plan).flat().map(name)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  test("of a host that is not on its link says so, by the family's own search", () => {
    const addresses = addressesOf(2, 2);
    const tcpPorts = [{ first: 80, last: 80 }];
    const plan = aPlan({ addresses, tcpPorts }, { reaches: ["on-link"] });
    readyNeighbours(plan);
    learnHop(plan, 0);
    learnHop(plan, 3);
    expect(chunks(plan).flat().map(name).toSorted()).toEqual([
      "0 0 no-response",
      "1 0 no-arp-reply",
      "2 0 no-nd-reply",
      "3 0 no-response",
    ]);
    const behindGateway = aPlan({ addresses, tcpPorts }, { reaches: ["gateway"] });
    expect(chunks(behindGateway).flat().map(name)).toEqual(expect.arrayContaining(["3 0 no-response"]));
  });

  test("lists hosts, where these are looked for, once", () => {
    const plan = aPlan({ addresses: addressesOf(5), find: "hosts" });
    const { size, a, b, key0, key1 } = plan.permutation;
    markAnswered(plan.answered.words, unpermute(2, size, a, b, key0, key1));
    expect(chunks(plan).flat().map(name).toSorted()).toEqual([0, 1, 3, 4].map((n) => `${n} 0 no-response`));
  });

  test("comes in chunks, so that a large scan does not fill memory", () => {
    const plan = aPlan({ addresses: addressesOf(200), tcpPorts: [{ first: 1, last: 60 }] });
    expect(chunks(plan).map(({ length }) => length)).toEqual([5_000, 5_000, 2_000]);
  });

  test("gives way at times although everything was answered", () => {
    const plan = aPlan({ addresses: addressesOf(2_000), tcpPorts: [{ first: 1, last: 100 }] });
    plan.answered.words.fill(-1);
    expect(chunks(plan)).toEqual([[], [], []]);
  });

  test("says nothing where it cannot know", () => {
    const plan = aPlan({ addresses: addressesOf(100) }, { maxBits: 64 });
    expect(plan.answered.windows).toBeGreaterThan(1);
    expect(chunks(plan)).toEqual([]);
  });
});
