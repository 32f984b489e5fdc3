/** The BPF programs, run by a plain interpreter of classic BPF over generated packets, against what they are meant to say. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { newReply } from "../packet/reply-fields.ts";
import { parseReply } from "../packet/reply.ts";
import { FIRST_PORT, PORT_COUNT } from "../packet/testing/arbitraries.ts";
import { mutant } from "../packet/testing/fuzz-packets.ts";
import { viewOf } from "../packet/testing/packets.ts";
import { Random } from "../packet/testing/random.ts";
import type { AddressFamily } from "../targets/address-words.ts";
import { replyFilter } from "./reply-filter.ts";
import type { Instruction } from "./socket-filter.ts";

const LAST_PORT = FIRST_PORT + PORT_COUNT - 1;
const PROGRAMS = {
  4: replyFilter(4, FIRST_PORT, LAST_PORT),
  6: replyFilter(6, FIRST_PORT, LAST_PORT),
} as const;

/** A load beyond the packet ends the program with "drop", as in the kernel. */
class BeyondPacket extends Error {}

function loadAt(packet: Uint8Array, at: number, bytes: number): number {
  if (at + bytes > packet.length) throw new BeyondPacket();
  return packet.subarray(at, at + bytes).reduce((value, byte) => value * 256 + byte, 0);
}

/** Runs the instructions that the filters may use; any other is an error (linux/filter.h names them). */
function run(program: readonly Instruction[], packet: Uint8Array): number {
  let a = 0;
  let x = 0;
  for (let pc = 0; pc < program.length; pc++) {
    const [code = -1, ifTrue = 0, ifFalse = 0, k = 0] = program[pc] ?? [];
    switch (code) {
      case 0x30: // ldb [k]
        a = loadAt(packet, k, 1);
        break;
      case 0x28: // ldh [k]
        a = loadAt(packet, k, 2);
        break;
      case 0x50: // ldb [x + k]
        a = loadAt(packet, x + k, 1);
        break;
      case 0x48: // ldh [x + k]
        a = loadAt(packet, x + k, 2);
        break;
      case 0xb1: // ldxb 4*([k]&0xf)
        x = (loadAt(packet, k, 1) & 15) * 4;
        break;
      case 0x05: // ja
        pc += k;
        break;
      case 0x15:
        pc += a === k ? ifTrue : ifFalse;
        break;
      case 0x25:
        pc += a > k ? ifTrue : ifFalse;
        break;
      case 0x35:
        pc += a >= k ? ifTrue : ifFalse;
        break;
      case 0x45:
        pc += (a & k) === 0 ? ifFalse : ifTrue;
        break;
      case 0x06:
        return k;
      default:
        throw new Error(`instruction ${pc} has the unknown code ${code}`);
    }
  }
  throw new Error("the program ran past its end");
}

function passes(family: AddressFamily, packet: Uint8Array): boolean {
  try {
    return run(PROGRAMS[family], packet) > 0;
  } catch (error) {
    if (error instanceof BeyondPacket) return false;
    throw error;
  }
}

interface Packet {
  readonly protocol: number;
  readonly payload: Uint8Array;
  /** IPv4 alone. */
  readonly fragment?: number;
  readonly headerWords?: number;
}

function packetOf(
  family: AddressFamily,
  { protocol, payload, fragment = 0, headerWords = 5 }: Packet,
): Uint8Array {
  const header = family === 4 ? headerWords * 4 : 40;
  const bytes = new Uint8Array(header + payload.length);
  bytes[0] = family === 4 ? 0x40 | headerWords : 0x60;
  bytes[family === 4 ? 9 : 6] = protocol;
  if (family === 4) viewOf(bytes).setUint16(6, fragment);
  bytes.set(payload, header);
  return bytes;
}

const fragment = fc.oneof(fc.constantFrom(0, 0x4000, 0x2000, 1, 0x1fff), fc.nat(65_535));
const headerWords = fc.integer({ min: 5, max: 15 });
const port = fc.oneof(fc.integer({ min: FIRST_PORT - 2, max: LAST_PORT + 2 }), fc.nat(65_535));
const isOurs = (port: number): boolean => port >= FIRST_PORT && port <= LAST_PORT;

/** What the families call the same things. */
const FAMILIES = [
  { family: 4, icmp: 1, echoReply: 0, errors: [3, 11, 12] },
  { family: 6, icmp: 58, echoReply: 129, errors: [1, 3, 4] },
] as const;

describe.each(FAMILIES)("IPv$family", ({ family, icmp, echoReply, errors }) => {
  test("TCP and UDP pass when they are to one of our ports, and no later fragment", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(6, 17),
        port,
        fragment,
        headerWords,
        (protocol, port, fragment, headerWords) => {
          const payload = new Uint8Array(20);
          viewOf(payload).setUint16(2, port);
          const isLater = family === 4 && (fragment & 0x1fff) !== 0;
          const packet = packetOf(family, { protocol, payload, fragment, headerWords });
          expect(passes(family, packet)).toBe(isOurs(port) && !isLater);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("ICMP passes when it is an error, or an echo reply to one of our identifiers", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(echoReply, ...errors), fc.nat(255)),
        port,
        headerWords,
        (type, identifier, headerWords) => {
          const payload = new Uint8Array(8);
          viewOf(payload).setUint8(0, type);
          viewOf(payload).setUint16(4, identifier);
          const wanted = errors.some((one) => one === type) || (type === echoReply && isOurs(identifier));
          expect(passes(family, packetOf(family, { protocol: icmp, payload, headerWords }))).toBe(wanted);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("no other protocol passes, but for extension headers of IPv6", () => {
    const payload = new Uint8Array(20);
    viewOf(payload).setUint8(0, errors[0]);
    viewOf(payload).setUint16(2, FIRST_PORT);
    const wanted = family === 4 ? [1, 6, 17] : [0, 6, 17, 43, 58, 60];
    for (let protocol = 0; protocol < 256; protocol++) {
      // Fragments have a test of their own.
      if (family === 6 && protocol === 44) continue;
      expect(passes(family, packetOf(family, { protocol, payload }))).toBe(wanted.includes(protocol));
    }
  });

  test("a packet too short to tell is dropped, and no bytes make the program fail", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const passed = passes(family, bytes);
        if (bytes.length < (family === 4 ? 21 : 7)) expect(passed).toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });
});

test("of IPv6 fragments the first one passes", () => {
  for (const [offset, wanted] of [
    [0, true],
    [1, true],
    [7, true],
    [8, false],
    [0xfff8, false],
  ] as const) {
    const payload = new Uint8Array(8);
    viewOf(payload).setUint16(2, offset);
    expect(passes(6, packetOf(6, { protocol: 44, payload }))).toBe(wanted);
  }
});

test("lets through every answer that the parser would take", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = new Random(seed);
      for (let i = 0; i < 200; i++) {
        const packet = mutant(random, 1, 2);
        const reply = newReply();
        if (!parseReply(viewOf(packet), 0, packet.length, 1, 2, FIRST_PORT, PORT_COUNT, reply)) continue;
        if (!passes(reply.family === 4 ? 4 : 6, packet)) throw new Error(`dropped ${packet.toHex()}`);
      }
    }),
  );
});
