/**
 * The reply parser against millions of hostile packets: it never throws, never reads beyond the packet, and what it
 * accepts brings the right cookie back. A longer run: FUZZ_CASES=50000000 FUZZ_SEED=7 bun test reply-fuzz
 */

import { expect, test } from "bun:test";
import { newReply } from "./reply-fields.ts";
import { parseReply } from "./reply.ts";
import { FIRST_PORT, PORT_COUNT } from "./testing/arbitraries.ts";
import { mutant, noise } from "./testing/fuzz-packets.ts";
import { isGenuine } from "./testing/genuine.ts";
import { viewOf } from "./testing/packets.ts";
import { Random } from "./testing/random.ts";

const K0 = 0x1234_5678;
const K1 = 0x0fed_cba9;
const CASES = Number(process.env["FUZZ_CASES"] ?? 500_000);
const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
/** Far above what any machine needs for the cases of the suite. */
const TIMEOUT_MS = 60_000 + CASES / 10;

interface Outcome {
  accepted: number;
  refused: number;
}

function fuzz(make: (random: Random, k0: number, k1: number) => Uint8Array): Outcome {
  const random = new Random(SEED);
  const outcome: Outcome = { accepted: 0, refused: 0 };
  const reply = newReply();
  const again = newReply();
  for (let i = 0; i < CASES; i++) {
    const bytes = make(random, K0, K1);
    const told = (problem: string): Error => new Error(`${problem}: case ${i}: ${bytes.toHex()}`);
    // A view that ends where the packet does: one byte too far is an exception.
    const accepted = parse(bytes, bytes.length, reply);
    if (accepted) outcome.accepted++;
    else outcome.refused++;
    if (accepted && !isGenuine(bytes, reply, K0, K1)) throw told("accepted a forgery");
    // What lies behind the packet in the ring must not matter.
    const followed = new Uint8Array(bytes.length + 64);
    followed.set(bytes);
    followed.set(bytes.subarray(0, 64), bytes.length);
    if (parse(followed, bytes.length, again) !== accepted) throw told("read beyond the packet");
    if (accepted && !Bun.deepEquals(reply, again)) throw told("read other things beyond the packet");
  }
  return outcome;
}

function parse(bytes: Uint8Array, length: number, reply: ReturnType<typeof newReply>): boolean {
  return parseReply(viewOf(bytes), 0, length, K0, K1, FIRST_PORT, PORT_COUNT, reply);
}

test(
  `noise, FUZZ_SEED=${SEED}`,
  () => {
    const { accepted, refused } = fuzz(noise);
    // Datagrams of services that repeat nothing are believed; little else can be by chance.
    expect(accepted).toBeLessThan(refused / 10);
  },
  TIMEOUT_MS,
);

test(
  `spoiled answers, FUZZ_SEED=${SEED}`,
  () => {
    const { accepted, refused } = fuzz(mutant);
    // Both happen often, so the fuzz reaches the end of the parser, and its refusals.
    expect(Math.min(accepted, refused)).toBeGreaterThan(CASES / 20);
  },
  TIMEOUT_MS,
);
