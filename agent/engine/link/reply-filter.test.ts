/** The BPF program, run by a plain interpreter of classic BPF over generated packets, against what it is meant to say. */

import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { newReply, parseReply } from "../packet/reply.ts";
import { probeCookie } from "../packet/cookie.ts";
import { type Instruction, replyFilter } from "./reply-filter.ts";

const FIRST_PORT = 61_000;
const LAST_PORT = 61_002;
const PROGRAM = replyFilter(FIRST_PORT, LAST_PORT);

/** A load beyond the packet ends the program with "drop", as in the kernel. */
class BeyondPacket extends Error {}

function loadAt(packet: Uint8Array, at: number, bytes: number): number {
  if (at + bytes > packet.length) throw new BeyondPacket();
  return packet.subarray(at, at + bytes).reduce((value, byte) => value * 256 + byte, 0);
}

/** Runs the instructions that the filter may use; any other is an error (linux/filter.h names them). */
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

function passes(packet: Uint8Array): boolean {
  try {
    return run(PROGRAM, packet) > 0;
  } catch (error) {
    if (error instanceof BeyondPacket) return false;
    throw error;
  }
}

interface Packet {
  readonly protocol: number;
  readonly fragment: number;
  readonly headerWords: number;
  readonly payload: Uint8Array;
}

function bytesOf({ protocol, fragment, headerWords, payload }: Packet): Uint8Array {
  const bytes = new Uint8Array(headerWords * 4 + payload.length);
  bytes[0] = 0x40 | headerWords;
  bytes[6] = fragment >>> 8;
  bytes[7] = fragment & 255;
  bytes[9] = protocol;
  bytes.set(payload, headerWords * 4);
  return bytes;
}

const fragment = fc.oneof(fc.constantFrom(0, 0x4000, 0x2000, 1, 0x1fff), fc.integer({ min: 0, max: 65_535 }));
const headerWords = fc.integer({ min: 5, max: 15 });
const ourPort = fc.oneof(
  fc.integer({ min: FIRST_PORT - 2, max: LAST_PORT + 2 }),
  fc.integer({ min: 0, max: 65_535 }),
);
const icmpType = fc.oneof(fc.constantFrom(0, 3, 8, 11, 12), fc.nat(255));

test("TCP passes when it is a first fragment to one of our ports", () => {
  fc.assert(
    fc.property(fragment, headerWords, ourPort, (fragment, headerWords, port) => {
      const payload = new Uint8Array(20);
      new DataView(payload.buffer).setUint16(2, port);
      const wanted = (fragment & 0x1fff) === 0 && port >= FIRST_PORT && port <= LAST_PORT;
      expect(passes(bytesOf({ protocol: 6, fragment, headerWords, payload }))).toBe(wanted);
    }),
    { numRuns: 2_000 },
  );
});

test("ICMP passes when it says unreachable or time exceeded", () => {
  fc.assert(
    fc.property(
      icmpType,
      headerWords,
      fc.uint8Array({ minLength: 8, maxLength: 8 }),
      (type, headerWords, payload) => {
        payload[0] = type;
        const packet = bytesOf({ protocol: 1, fragment: 0, headerWords, payload });
        expect(passes(packet)).toBe(type === 3 || type === 11);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("no other protocol passes", () => {
  const payload = new Uint8Array(20);
  const view = new DataView(payload.buffer);
  view.setUint8(0, 3);
  view.setUint16(2, FIRST_PORT);
  for (let protocol = 0; protocol < 256; protocol++) {
    const packet = bytesOf({ protocol, fragment: 0, headerWords: 5, payload });
    expect(passes(packet)).toBe(protocol === 1 || protocol === 6);
  }
});

test("a packet too short to tell is dropped, and no bytes make the program fail", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const passed = passes(bytes);
      if (bytes.length < 21) expect(passed).toBe(false);
    }),
    { numRuns: 5_000 },
  );
});

test("lets through every answer that the parser would take", () => {
  const uint32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const port = fc.integer({ min: FIRST_PORT, max: LAST_PORT });
  fc.assert(
    fc.property(uint32, uint32, port, headerWords, fragment, (from, to, port, headerWords, fragment) => {
      const payload = new Uint8Array(20);
      const tcp = new DataView(payload.buffer);
      tcp.setUint16(0, 443);
      tcp.setUint16(2, port);
      tcp.setInt32(8, probeCookie(1, 2, from, to, (443 << 16) | port) + 1);
      tcp.setUint8(13, 0x12);
      const packet = bytesOf({ protocol: 6, fragment, headerWords, payload });
      const view = new DataView(packet.buffer);
      view.setUint16(2, packet.length);
      view.setInt32(12, from);
      view.setInt32(16, to);
      const count = LAST_PORT - FIRST_PORT + 1;
      const taken = parseReply(view, 0, packet.length, 1, 2, FIRST_PORT, count, newReply());
      expect(taken).toBe((fragment & 0x1fff) === 0);
      if (taken) expect(passes(packet)).toBe(true);
    }),
  );
});
