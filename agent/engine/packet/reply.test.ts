/** Answers to our probes are read right; everything else, however hostile, is refused and never an exception. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { probeCookie } from "./cookie.ts";
import { newReply, parseReply, REASON_NAMES, type ReasonName, type Reply } from "./reply.ts";
import { buildSynTemplate, patchSyn } from "./syn.ts";

const K0 = 0x1234_5678;
const K1 = 0x0fed_cba9;
const FIRST_PORT = 61_000;
const PORT_COUNT = 3;
const TTL = 55;

const IP_HEADER = 20;
const SYN_ACK = 0x12;
const RST_ACK = 0x14;

interface Probe {
  readonly source: number;
  readonly target: number;
  readonly sourcePort: number;
  readonly targetPort: number;
}

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const probe: fc.Arbitrary<Probe> = fc.record({
  source: uint32,
  target: uint32,
  sourcePort: fc.integer({ min: FIRST_PORT, max: FIRST_PORT + PORT_COUNT - 1 }),
  targetPort: fc.integer({ min: 0, max: 65_535 }),
});
const SOME_PROBE: Probe = { source: 0x0a00_0001, target: 0xc0a8_0105, sourcePort: 61_001, targetPort: 443 };

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** An IPv4 packet with this payload. `options` lengthens the header by so many words. */
function ipPacket(from: number, to: number, protocol: number, payload: Uint8Array, options = 0): Uint8Array {
  const header = IP_HEADER + options * 4;
  const bytes = new Uint8Array(header + payload.length);
  const view = viewOf(bytes);
  view.setUint8(0, 0x40 | (header / 4));
  view.setUint16(2, bytes.length);
  view.setUint8(8, TTL);
  view.setUint8(9, protocol);
  view.setUint32(12, from);
  view.setUint32(16, to);
  bytes.set(payload, header);
  return bytes;
}

function tcpAnswer(probe: Probe, flags: number, options = 0): Uint8Array {
  const { source, target, sourcePort, targetPort } = probe;
  const tcp = new Uint8Array(20);
  const view = viewOf(tcp);
  view.setUint16(0, targetPort);
  view.setUint16(2, sourcePort);
  view.setInt32(8, probeCookie(K0, K1, target, source, (targetPort << 16) | sourcePort) + 1);
  view.setUint8(12, 0x50);
  view.setUint8(13, flags);
  return ipPacket(target, source, 6, tcp, options);
}

/** An ICMP error from `router` that quotes the probe as it was sent, cut to `quotedBytes`. */
function icmpError(probe: Probe, router: number, type: number, code: number, quotedBytes = 28): Uint8Array {
  const { packet, ipSum, tcpSum } = buildSynTemplate();
  const { source, target, sourcePort, targetPort } = probe;
  patchSyn(viewOf(packet), 0, ipSum, tcpSum, K0, K1, source, target, sourcePort, targetPort);
  const icmp = new Uint8Array(8 + quotedBytes);
  icmp[0] = type;
  icmp[1] = code;
  icmp.set(packet.subarray(0, quotedBytes), 8);
  return ipPacket(router, source, 1, icmp);
}

/** Reads a packet that fills its memory exactly, so that one byte too far is an exception. */
function parse(bytes: Uint8Array, reply: Reply = newReply()): Reply | undefined {
  const view = new DataView(bytes.slice().buffer);
  const genuine = parseReply(view, 0, bytes.length, K0, K1, FIRST_PORT, PORT_COUNT, reply);
  return genuine ? reply : undefined;
}

function expectAnswer(bytes: Uint8Array, probe: Probe, reason: ReasonName): void {
  expect(parse(bytes)).toEqual({
    target: probe.target,
    targetPort: probe.targetPort,
    ourPort: probe.sourcePort,
    reason: REASON_NAMES.indexOf(reason),
    ttl: TTL,
  });
}

describe("genuine answers", () => {
  const options = fc.integer({ min: 0, max: 10 });

  test("a SYN-ACK says open, a RST closed, with and without IP options", () => {
    fc.assert(
      fc.property(probe, options, (probe, options) => {
        expectAnswer(tcpAnswer(probe, SYN_ACK, options), probe, "syn-ack");
        expectAnswer(tcpAnswer(probe, RST_ACK, options), probe, "reset");
      }),
    );
  });

  test("ECN and urgent bits change nothing", () => {
    for (const extra of [0x20, 0x40, 0x80, 0xc0]) {
      expectAnswer(tcpAnswer(SOME_PROBE, SYN_ACK | extra), SOME_PROBE, "syn-ack");
    }
  });

  const UNREACHABLE: readonly (readonly [number, ReasonName])[] = [
    [0, "network-unreachable"],
    [1, "host-unreachable"],
    [2, "protocol-unreachable"],
    [3, "port-unreachable"],
    [4, "icmp-unreachable"],
    [5, "icmp-unreachable"],
    [6, "network-unreachable"],
    [7, "host-unreachable"],
    [8, "icmp-unreachable"],
    [9, "admin-prohibited"],
    [10, "admin-prohibited"],
    [11, "network-unreachable"],
    [12, "host-unreachable"],
    [13, "admin-prohibited"],
    [14, "icmp-unreachable"],
    [15, "icmp-unreachable"],
    [255, "icmp-unreachable"],
  ];

  test.each(UNREACHABLE)("ICMP unreachable with code %d says %s", (code, reason) => {
    expectAnswer(icmpError(SOME_PROBE, 0x0a00_00fe, 3, code), SOME_PROBE, reason);
  });

  test("an ICMP error from any router, quoting as little or as much as it likes, names the target", () => {
    fc.assert(
      fc.property(probe, uint32, fc.integer({ min: 28, max: 44 }), (probe, router, quotedBytes) => {
        expectAnswer(icmpError(probe, router, 3, 13, quotedBytes), probe, "admin-prohibited");
        expectAnswer(icmpError(probe, router, 11, 0, quotedBytes), probe, "time-exceeded");
      }),
    );
  });

  test("are read in place, wherever they lie in the ring", () => {
    fc.assert(
      fc.property(probe, fc.nat(40), fc.nat(40), (probe, before, after) => {
        const packet = tcpAnswer(probe, SYN_ACK);
        const ring = new Uint8Array(before + packet.length + after).fill(0xff);
        ring.set(packet, before);
        const reply = newReply();
        const length = packet.length + after;
        expect(parseReply(viewOf(ring), before, length, K0, K1, FIRST_PORT, PORT_COUNT, reply)).toBe(true);
        expect(reply.target).toBe(probe.target);
      }),
    );
  });
});

describe("forgeries", () => {
  const packets: readonly (readonly [string, Uint8Array])[] = [
    ["SYN-ACK", tcpAnswer(SOME_PROBE, SYN_ACK)],
    ["RST", tcpAnswer(SOME_PROBE, RST_ACK)],
    ["ICMP error", icmpError(SOME_PROBE, 0x0a00_00fe, 3, 13)],
  ];

  test.each(packets)("%s: cut at any length it is refused", (_name, packet) => {
    for (let length = 0; length < packet.length; length++) {
      const cut = packet.slice(0, length);
      expect(parse(cut)).toBeUndefined();
      // The same, with a header that claims to be whole.
      if (length >= 4) viewOf(cut).setUint16(2, length);
      expect(parse(cut)).toBeUndefined();
    }
  });

  /** Bytes that the parser has no reason to look at; in all others one wrong bit must be noticed. */
  const TCP_FREE = new Set([1, 4, 5, 8, 10, 11, 24, 25, 26, 27, 32, 34, 35, 36, 37, 38, 39]);
  const ICMP_FREE = new Set(
    [1, 4, 5, 8, 10, 11, 12, 13, 14, 15, 21, 22, 23, 24, 25, 26, 27].concat(
      // Of the quoted header: service, length, identification, fragment, TTL, checksum.
      [29, 30, 31, 32, 33, 34, 35, 36, 38, 39],
    ),
  );
  const flips: readonly (readonly [string, Uint8Array, ReadonlySet<number>])[] = [
    ["SYN-ACK", tcpAnswer(SOME_PROBE, SYN_ACK), TCP_FREE],
    ["ICMP error", icmpError(SOME_PROBE, 0x0a00_00fe, 3, 13), ICMP_FREE],
  ];

  test.each(flips)("%s: one wrong bit in what identifies the probe is noticed", (_name, packet, free) => {
    for (let bit = 0; bit < packet.length * 8; bit++) {
      const place = bit >>> 3;
      const mask = 1 << (bit & 7);
      const flipped = packet.slice();
      flipped[place] = (flipped[place] ?? 0) ^ mask;
      const fragmentFlags = place === 6 && mask >= 0x20;
      // A FIN, PSH, URG or ECN beside SYN and ACK; "unreachable" (3) is one bit from "time exceeded" (11).
      const otherKind =
        place === (packet[9] === 6 ? 33 : 20) && (packet[9] === 6 ? (mask & 0x16) === 0 : mask === 8);
      const accepted = parse(flipped) !== undefined;
      if (accepted !== (free.has(place) || fragmentFlags || otherKind)) {
        throw new Error(`bit ${mask} of byte ${place}: accepted is ${accepted}`);
      }
    }
  });

  test("another scan's key, and ports that this scan does not use", () => {
    fc.assert(
      fc.property(probe, fc.integer(), (probe, delta) => {
        fc.pre((delta | 0) !== 0);
        for (const packet of [tcpAnswer(probe, SYN_ACK), icmpError(probe, 1, 3, 1)]) {
          const view = new DataView(packet.slice().buffer);
          const read = (k0: number, first: number, count: number): boolean =>
            parseReply(view, 0, packet.length, k0, K1, first, count, newReply());
          expect(read(K0, FIRST_PORT, PORT_COUNT)).toBe(true);
          expect(read(K0 ^ delta, FIRST_PORT, PORT_COUNT)).toBe(false);
          expect(read(K0, probe.sourcePort + 1, PORT_COUNT)).toBe(false);
          expect(read(K0, probe.sourcePort - PORT_COUNT, PORT_COUNT)).toBe(false);
          expect(read(K0, probe.sourcePort, 1)).toBe(true);
        }
      }),
    );
  });

  test("a wrong acknowledgement, off by anything", () => {
    fc.assert(
      fc.property(probe, fc.integer({ min: 1, max: 2 ** 32 - 1 }), (probe, delta) => {
        const packet = tcpAnswer(probe, SYN_ACK);
        const view = viewOf(packet);
        view.setUint32(28, (view.getUint32(28) + delta) % 2 ** 32);
        expect(parse(packet)).toBeUndefined();
      }),
    );
  });

  test("flags that answer no SYN: a bare SYN, ACK, RST, or data", () => {
    for (const flags of [0x00, 0x02, 0x04, 0x10, 0x18, 0x11, 0x06, 0x16]) {
      expect(parse(tcpAnswer(SOME_PROBE, flags))).toBeUndefined();
    }
  });

  test("an ICMP error of another kind, or that quotes a packet which was not ours", () => {
    for (const type of [0, 4, 5, 8, 12]) expect(parse(icmpError(SOME_PROBE, 1, type, 1))).toBeUndefined();
    const elsewhere = icmpError(SOME_PROBE, 1, 3, 1);
    viewOf(elsewhere).setUint32(16, SOME_PROBE.source + 1);
    expect(parse(elsewhere)).toBeUndefined();
  });

  test("other protocols, other versions, and a length that passes the memory", () => {
    for (const protocol of [0, 2, 17, 58, 132]) {
      const packet = tcpAnswer(SOME_PROBE, SYN_ACK);
      packet[9] = protocol;
      expect(parse(packet)).toBeUndefined();
    }
    const packet = tcpAnswer(SOME_PROBE, SYN_ACK);
    expect(parseReply(viewOf(packet), 1, packet.length, K0, K1, FIRST_PORT, PORT_COUNT, newReply())).toBe(
      false,
    );
    packet[0] = 0x65;
    expect(parse(packet)).toBeUndefined();
  });
});

describe("fuzz", () => {
  /** fast-check draws the seed and prints it on failure; the packets come from it by xorshift (G. Marsaglia, 2003). */
  const CASES_PER_SEED = 5_000;
  const SEEDS = 100;

  class Random {
    private state: number;
    constructor(seed: number) {
      this.state = seed | 1;
    }
    below(limit: number): number {
      this.state ^= this.state << 13;
      this.state ^= this.state >>> 17;
      this.state ^= this.state << 5;
      return (this.state >>> 0) % limit;
    }
  }

  /** Noise of any length, mostly dressed up as far as the parser looks, so that it gets deep. */
  function noise(random: Random): Uint8Array {
    const bytes = new Uint8Array(random.below(96));
    for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256);
    if (bytes.length < 24 || random.below(4) === 0) return bytes;
    const view = viewOf(bytes);
    const header = 5 + random.below(4);
    bytes[0] = 0x40 | header;
    view.setUint16(2, random.below(3) === 0 ? random.below(128) : bytes.length);
    view.setUint16(6, random.below(8) === 0 ? random.below(65_536) : 0);
    bytes[9] = random.below(2) === 0 ? 6 : 1;
    const payload = header * 4;
    if (bytes[9] === 6 && bytes.length >= payload + 20) {
      view.setUint16(payload + 2, FIRST_PORT + random.below(PORT_COUNT));
      bytes[payload + 13] = random.below(2) === 0 ? SYN_ACK : RST_ACK;
    }
    if (bytes[9] === 1 && bytes.length >= payload + 36) {
      bytes[payload] = random.below(2) === 0 ? 3 : 11;
      bytes[payload + 8] = 0x40 | (4 + random.below(5));
      bytes[payload + 17] = 6;
      bytes.copyWithin(payload + 20, 16, 20);
      view.setUint16(payload + 28, FIRST_PORT + random.below(PORT_COUNT));
    }
    return bytes;
  }

  const VALID = [
    tcpAnswer(SOME_PROBE, SYN_ACK),
    tcpAnswer(SOME_PROBE, RST_ACK, 3),
    icmpError(SOME_PROBE, 0x0a00_00fe, 3, 13),
    icmpError(SOME_PROBE, 0x0a00_00fe, 11, 0, 44),
  ];

  /** A genuine answer with a few bytes spoiled, and sometimes cut. */
  function mutant(random: Random): Uint8Array {
    const bytes = (VALID[random.below(VALID.length)] ?? new Uint8Array(0)).slice();
    for (let i = random.below(5); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256);
    return random.below(4) === 0 ? bytes.slice(0, random.below(bytes.length)) : bytes;
  }

  /** Whether the packet really holds the cookie of the probe that it is taken to answer. */
  function isGenuine(bytes: Uint8Array, { target, targetPort, ourPort }: Reply): boolean {
    const view = viewOf(bytes);
    const to = view.getInt32(16);
    const payload = ((bytes[0] ?? 0) & 15) * 4;
    const cookie = probeCookie(K0, K1, target | 0, to, (targetPort << 16) | ourPort);
    if (ourPort < FIRST_PORT || ourPort >= FIRST_PORT + PORT_COUNT) return false;
    if (bytes[9] === 6)
      return view.getUint32(12) === target && view.getInt32(payload + 8) === ((cookie + 1) | 0);
    const quoted = payload + 8;
    const tcp = quoted + ((bytes[quoted] ?? 0) & 15) * 4;
    return view.getUint32(quoted + 16) === target && view.getInt32(tcp + 4) === cookie;
  }

  function fuzz(make: (random: Random) => Uint8Array): { accepted: number } {
    const seen = { accepted: 0 };
    const reply = newReply();
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new Random(seed);
        for (let i = 0; i < CASES_PER_SEED; i++) {
          const bytes = make(random);
          const view = viewOf(bytes);
          if (!parseReply(view, 0, bytes.length, K0, K1, FIRST_PORT, PORT_COUNT, reply)) continue;
          seen.accepted++;
          if (!isGenuine(bytes, reply)) throw new Error(`accepted a forgery: ${bytes.toHex()}`);
        }
      }),
      { numRuns: SEEDS },
    );
    return seen;
  }

  test("noise never throws and is never believed", () => {
    // A guess at 32 bits may hit; more than a few hits would mean that less than 32 bits are checked.
    expect(fuzz(noise).accepted).toBeLessThan(5);
  });

  test("spoiled answers never throw, and what is believed holds the right cookie", () => {
    // Some mutations touch nothing that matters, which shows that the fuzz reaches the end of the parser.
    expect(fuzz(mutant).accepted).toBeGreaterThan(SEEDS);
  });
});
