/** Which probes were answered, against a Set. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { isAnswered, markAnswered, newAnsweredSet } from "./dedup.ts";

const MAX_EXACT = 2 ** 29;

describe("exact", () => {
  test("is a set: true the first time, and knows every member and nothing else", () => {
    const size = 200;
    fc.assert(
      fc.property(fc.array(fc.nat(size - 1), { maxLength: 400 }), (marks) => {
        const { exact, words } = newAnsweredSet(size);
        const oracle = new Set<number>();
        for (const index of marks) {
          expect(markAnswered(words, exact, index)).toBe(!oracle.has(index));
          oracle.add(index);
        }
        for (let index = 0; index < size; index++) {
          expect(isAnswered(words, exact, index)).toBe(oracle.has(index));
        }
      }),
    );
  });

  test("reaches to its last probe, whatever the size", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), (size) => {
        const { exact, words } = newAnsweredSet(size);
        expect([markAnswered(words, exact, size - 1), markAnswered(words, exact, size - 1)]).toEqual([
          true,
          false,
        ]);
        expect(isAnswered(words, exact, size - 1)).toBe(true);
        if (size > 1) expect(isAnswered(words, exact, size - 2)).toBe(false);
      }),
    );
  });

  test("up to half a billion probes, the last included", () => {
    const { exact, words } = newAnsweredSet(MAX_EXACT);
    expect(exact).toBe(true);
    expect(markAnswered(words, exact, MAX_EXACT - 1)).toBe(true);
    expect(isAnswered(words, exact, MAX_EXACT - 1)).toBe(true);
    expect(isAnswered(words, exact, MAX_EXACT - 2)).toBe(false);
  });

  test("can be read by another thread as it is", () => {
    expect(newAnsweredSet(1).words.buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});

describe("inexact, beyond that", () => {
  /** Close together, far apart, and equal in their low or high half. */
  const index = fc.oneof(
    fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    fc.nat(50),
    fc.nat(2 ** 16 - 1).map((high) => high * 2 ** 32),
    fc.nat(50).map((low) => 2 ** 47 + low),
  );

  test("forgets, but never takes a new answer for an old one", () => {
    fc.assert(
      fc.property(fc.array(index, { maxLength: 500 }), (marks) => {
        const { exact, words } = newAnsweredSet(2 ** 48);
        expect(exact).toBe(false);
        const oracle = new Set<number>();
        for (const index of marks) {
          if (!oracle.has(index)) expect(markAnswered(words, exact, index)).toBe(true);
          oracle.add(index);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("knows an answer that is repeated at once", () => {
    const { exact, words } = newAnsweredSet(2 ** 48);
    fc.assert(
      fc.property(index, (index) => {
        markAnswered(words, exact, index);
        expect(markAnswered(words, exact, index)).toBe(false);
      }),
    );
  });

  test("most of what was lately answered is still known", () => {
    const { exact, words } = newAnsweredSet(MAX_EXACT + 1);
    const recent = Array.from({ length: 10_000 }, (_, i) => (i * 7_919_000_003) % (MAX_EXACT + 1));
    for (const index of recent) markAnswered(words, exact, index);
    const known = recent.filter((index) => !markAnswered(words, exact, index)).length;
    expect(known).toBeGreaterThan(9_800);
  });

  test("says of none that it need not be asked again", () => {
    const { exact, words } = newAnsweredSet(MAX_EXACT + 1);
    words.fill(-1);
    expect([0, 5, 2 ** 29].map((index) => isAnswered(words, exact, index))).toEqual([false, false, false]);
  });
});
