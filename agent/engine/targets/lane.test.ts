/** Shards, windows and lanes cut the order of probes into parts: every position in exactly one. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { newAnsweredSet, windowBit } from "../dedup.ts";
import { laneWindow, positionInShard, positionsBefore, shardSize, type Sharded } from "./lane.ts";

const sizes = fc.integer({ min: 1, max: 2_000 });
const shardCounts = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(7, 19, 258));
const laneCounts = fc.integer({ min: 1, max: 9 });
/** Bits of the answered set: from many windows to one. */
const bits = fc.constantFrom(64, 128, 512, 2 ** 28);

const indexes = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

function part(size: number, index: number, count: number, maxBits: number) {
  const shard = { index, count };
  const answered = newAnsweredSet(shardSize(size, shard), maxBits);
  return { permutation: { size }, shard, answered } satisfies Sharded;
}

/** What a lane sends in a window, as a sender walks it. */
function walk(sharded: ReturnType<typeof part>, window: number, lane: number, lanes: number) {
  const order = laneWindow(sharded, window, windowBit(sharded.answered, window), lane, lanes);
  return indexes(order.count).map((j) => ({
    position: order.firstPosition + j * order.step,
    bit: order.firstBit + j * order.bitStep,
  }));
}

describe("every position", () => {
  test("belongs to exactly one lane of one window of one shard, however many there are", () => {
    fc.assert(
      fc.property(sizes, shardCounts, laneCounts, bits, (size, shards, lanes, maxBits) => {
        const seen = new Uint8Array(size);
        for (const shard of indexes(Math.min(size, shards))) {
          const sharded = part(size, shard, shards, maxBits);
          for (const window of indexes(sharded.answered.windows)) {
            for (const lane of indexes(lanes)) {
              for (const { position } of walk(sharded, window, lane, lanes)) {
                if (position >= size) throw new Error(`position ${position} of ${size}`);
                seen[position] = (seen[position] ?? 0) + 1;
              }
            }
          }
        }
        expect(seen.every((times) => times === 1)).toBe(true);
      }),
    );
  });

  test("has in its window the bit that its answer is looked for at", () => {
    fc.assert(
      fc.property(sizes, shardCounts, laneCounts, bits, (size, shards, lanes, maxBits) => {
        const sharded = part(size, (size - 1) % shards, shards, maxBits);
        const { answered, shard } = sharded;
        for (const window of indexes(answered.windows)) {
          for (const lane of indexes(lanes)) {
            for (const { position, bit } of walk(sharded, window, lane, lanes)) {
              const within = positionInShard(position, shard) - window * answered.windowSize;
              expect(within).toBeWithin(0, answered.windowSize);
              expect(bit).toBe(windowBit(answered, window) + within);
            }
          }
        }
      }),
    );
  });
});

test("a shard takes every n-th position, in order, and knows its own", () => {
  fc.assert(
    fc.property(sizes, shardCounts, fc.nat(300), (size, shards, some) => {
      const shard = { index: some % shards, count: shards };
      const expected = indexes(size).filter((position) => position % shards === shard.index);
      expect(shardSize(size, shard)).toBe(expected.length);
      const own = indexes(size).map((position) => positionInShard(position, shard));
      expect(own.filter((within) => within >= 0)).toEqual(indexes(expected.length));
      expect(expected.map((position) => own[position])).toEqual(indexes(expected.length));
    }),
  );
});

test("a lane's positions before a window are those of all windows before it", () => {
  fc.assert(
    fc.property(sizes, laneCounts, bits, (size, lanes, maxBits) => {
      const sharded = part(size, 0, 1, maxBits);
      for (const lane of indexes(lanes)) {
        let before = 0;
        for (const window of indexes(sharded.answered.windows)) {
          expect(positionsBefore(sharded, window, lane, lanes)).toBe(before);
          before += laneWindow(sharded, window, 0, lane, lanes).count;
        }
      }
    }),
  );
});

test("more shards than positions leave some empty", () => {
  expect([0, 2, 3, 257].map((index) => shardSize(3, { index, count: 258 }))).toEqual([1, 1, 0, 0]);
  expect(walk(part(3, 1, 2, 64), 0, 3, 4)).toEqual([]);
});

test("is exact at the greatest size", () => {
  const size = 2 ** 48;
  const sharded = part(size, 257, 258, 2 ** 28);
  const { windows } = sharded.answered;
  const last = laneWindow(sharded, windows - 1, 0, 6, 7);
  const lastPosition = last.firstPosition + (last.count - 1) * last.step;
  expect(lastPosition).toBeLessThan(size);
  expect(lastPosition + last.step).toBeGreaterThanOrEqual(size);
  expect(laneWindow(sharded, windows, 0, 0, 7).count).toBe(0);
  expect(positionInShard(lastPosition, sharded.shard)).toBe((lastPosition - 257) / 258);
});
