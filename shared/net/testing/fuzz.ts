/** A bounded loop of random texts for a parser. fast-check shrinks but is slow; this tries 200,000 texts in seconds. */

import { UsageError } from "../../errors.ts";

/** Cases a parser has to stand. */
export const FUZZ_CASES = 200_000;

/** Whole numbers from 0 to `below` - 1. */
export type Random = (below: number) => number;

/** A generator of 32-bit numbers with one word of state (a Weyl sequence, mixed by two multiplications). */
function randomOf(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x9e37_79b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % below;
  };
}

/**
 * Calls `check` with FUZZ_CASES texts. FUZZ_SEED in the environment repeats a run that failed.
 * @param make a text that is nearly right
 * @throws Error with the seed and the text, when `check` throws
 */
export function fuzz(make: (random: Random) => string, check: (text: string, random: Random) => void): void {
  const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  const random = randomOf(seed);
  for (let i = 0; i < FUZZ_CASES; i++) {
    const text = random(10) === 0 ? damaged(make(random), random) : make(random);
    try {
      check(text, random);
    } catch (cause) {
      throw new Error(`FUZZ_SEED=${seed}, case ${i}: ${JSON.stringify(text)}`, { cause });
    }
  }
}

/** The text with one character put in, taken out or replaced by any of Unicode's first plane, halves of pairs included. */
function damaged(text: string, random: Random): string {
  const at = random(text.length + 1);
  const put = random(3) === 0 ? "" : String.fromCharCode(random(2) === 0 ? random(128) : random(65_536));
  return text.slice(0, at) + put + text.slice(at + random(2));
}

export function pick<T>(random: Random, values: readonly [T, ...T[]]): T {
  return values[random(values.length)] ?? values[0];
}

/** What the parser gives, or undefined where it refuses. Anything but a UsageError is a fault, and thrown on. */
export function unlessRefused<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}
