/** Which positions were answered, against a Set, and the windows that share the bits of a large scan. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  clearWindow,
  isAnswered,
  markAnswered,
  newAnsweredSet,
  windowBit,
  windowOfPosition,
} from "./dedup.ts";

const MAX_BITS = 2 ** 28;

describe("the bits", () => {
  test("are a set: true the first time, and every member is known and nothing else", () => {
    const size = 200;
    fc.assert(
      fc.property(fc.array(fc.nat(size - 1), { maxLength: 400 }), (marks) => {
        const { words } = newAnsweredSet(size);
        const oracle = new Set<number>();
        for (const bit of marks) {
          expect(markAnswered(words, bit)).toBe(!oracle.has(bit));
          oracle.add(bit);
        }
        for (let bit = 0; bit < size; bit++) expect(isAnswered(words, bit)).toBe(oracle.has(bit));
      }),
    );
  });

  test("reach to the last position, whatever the size", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), (size) => {
        const { words } = newAnsweredSet(size);
        expect([markAnswered(words, size - 1), markAnswered(words, size - 1)]).toEqual([true, false]);
        expect(isAnswered(words, size - 1)).toBe(true);
        if (size > 1) expect(isAnswered(words, size - 2)).toBe(false);
      }),
    );
  });

  test("can be read by another thread as they are", () => {
    expect(newAnsweredSet(1).words.buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});

describe("windows", () => {
  test("a quarter of a billion positions are one, and more are several in the same memory", () => {
    const one = newAnsweredSet(MAX_BITS);
    expect([one.windows, one.windowSize, one.words.length * 32]).toEqual([1, MAX_BITS, MAX_BITS]);
    expect(markAnswered(one.words, MAX_BITS - 1)).toBe(true);
    expect([MAX_BITS - 1, MAX_BITS - 2].map((bit) => isAnswered(one.words, bit))).toEqual([true, false]);
    const three = newAnsweredSet(MAX_BITS + 1);
    expect([three.windows, three.windowSize, three.words.length * 32]).toEqual([3, MAX_BITS / 2, MAX_BITS]);
    expect(newAnsweredSet(2 ** 48).windows).toBe(2 ** 21);
  });

  test("an empty shard has one, without a bit", () => {
    expect(newAnsweredSet(0)).toMatchObject({ windowSize: 0, windows: 1, words: new Int32Array(0) });
  });

  test("each position is in one, and has a bit that no other of its window or the one before has", () => {
    const bits = fc.constantFrom(64, 128, 256);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), bits, (positions, maxBits) => {
        const set = newAnsweredSet(positions, maxBits);
        expect(set.words.length * 32).toBeLessThanOrEqual(maxBits);
        const bitOf = new Map<number, number>();
        for (let position = 0; position < positions; position++) {
          const window = windowOfPosition(set, position);
          expect(window).toBeWithin(0, set.windows);
          const bit = windowBit(set, window) + position - window * set.windowSize;
          expect(bit).toBeWithin(0, set.words.length * 32);
          const holder = bitOf.get(bit);
          if (holder !== undefined) expect(windowOfPosition(set, holder)).toBeLessThanOrEqual(window - 2);
          bitOf.set(bit, position);
        }
      }),
    );
  });

  test("are cleared without touching the one before", () => {
    const set = newAnsweredSet(1_000, 128);
    for (const window of [1, 2, 3, 4]) {
      set.words.fill(-1);
      clearWindow(set, window);
      const own = windowBit(set, window);
      const before = windowBit(set, window - 1);
      for (let i = 0; i < set.windowSize; i++) {
        expect([isAnswered(set.words, own + i), isAnswered(set.words, before + i)]).toEqual([false, true]);
      }
    }
  });
});
