/** The probe order: every index exactly once, whatever the size, the seed and the number of shards. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { newPermutation, permute, type Permutation } from "./permutation.ts";

function indexAt({ size, a, b, key0, key1 }: Permutation, position: number): number {
  return permute(position, size, a, b, key0, key1);
}

/** The first `count` indexes. */
function start(size: number, seed: number, count: number): number[] {
  const permutation = newPermutation(size, seed);
  return Array.from({ length: count }, (_, position) => indexAt(permutation, position));
}

/** As many distinct values in range as there are positions: each comes once. */
function expectBijection(size: number, seed: number): void {
  const permutation = newPermutation(size, seed);
  const seen = new Uint8Array(size);
  let distinct = 0;
  for (let position = 0; position < size; position++) {
    const index = indexAt(permutation, position);
    if (seen[index] === 0) distinct++;
    seen[index] = 1;
  }
  expect(distinct).toBe(size);
}

const seed = fc.integer({ min: 0, max: 2 ** 48 });

describe("every index comes once", () => {
  const sizes = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 97, 101, 255, 256, 257, 1_009, 65_535, 65_536, 65_537, 999_983,
    1_000_000,
  ];
  test.each(sizes)("of %d", (size) => {
    for (const seed of [0, 1, 2 ** 32, 0xdead_beef, 2 ** 48]) expectBijection(size, seed);
  });

  test("of any size, with any seed", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 5_000 }), seed, expectBijection));
  });

  test("in shards: taking every n-th position from each start covers all and repeats none", () => {
    const shards = fc.integer({ min: 1, max: 16 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), seed, shards, (size, seed, count) => {
        const permutation = newPermutation(size, seed);
        const found: number[] = [];
        for (let shard = 0; shard < count; shard++) {
          for (let position = shard; position < size; position += count) {
            found.push(indexAt(permutation, position));
          }
        }
        expect(found.toSorted((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
      }),
    );
  });
});

describe("beyond 32 bits", () => {
  const WINDOW = 20_000;
  const RANDOM_POSITIONS = 200_000;

  test.each([2 ** 32 - 1, 2 ** 32 + 15, 2 ** 40 + 1, 2 ** 48])(
    "%d positions: indexes stay in range, and no two of the sampled are equal",
    (size) => {
      const positions = new Set<number>();
      const windows = [0, 2 ** 31 - WINDOW / 2, Math.floor(size / 3), 2 ** 32 - WINDOW, size - WINDOW];
      for (const from of windows) {
        for (let i = 0; i < WINDOW && from + i < size; i++) positions.add(from + i);
      }
      // A walk with a step that shares no factor with any of the sizes; spread over the whole of them.
      for (let i = 0; i < RANDOM_POSITIONS; i++) positions.add((i * 16_777_619 * 97) % size);
      const permutation = newPermutation(size, 0x1234_5678_9abc);
      const indexes = new Set<number>();
      for (const position of positions) {
        const index = indexAt(permutation, position);
        if (!(Number.isInteger(index) && index >= 0 && index < size)) {
          throw new Error(`position ${position} gave ${index}, outside ${size}`);
        }
        indexes.add(index);
      }
      expect(positions.size).toBeGreaterThan(RANDOM_POSITIONS);
      expect(indexes.size).toBe(positions.size);
    },
  );
});

describe("the order", () => {
  const size = fc.integer({ min: 1_000, max: 2 ** 48 });

  test("is the same for the same seed", () => {
    fc.assert(
      fc.property(size, seed, (size, seed) => expect(start(size, seed, 64)).toEqual(start(size, seed, 64))),
    );
  });

  test("is another for another seed, be it in the high bits only", () => {
    fc.assert(
      fc.property(size, seed, seed, (size, one, other) => {
        fc.pre(one !== other);
        expect(start(size, one, 64)).not.toEqual(start(size, other, 64));
      }),
    );
    expect(start(65_536, 7, 64)).not.toEqual(start(65_536, 7 + 2 ** 32, 64));
  });

  test("jumps about: neighbours in time are as far apart as chance puts them, a third of the space", () => {
    const size = 65_536;
    const order = start(size, 1, size);
    let distance = 0;
    for (let i = 1; i < size; i++) distance += Math.abs((order[i] ?? 0) - (order[i - 1] ?? 0));
    expect(distance / (size - 1) / size).toBeCloseTo(1 / 3, 1);
  });
});
