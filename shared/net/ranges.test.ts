/** Range algebra against the obvious oracle: a Set that lists every member. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { countRanges, normalizeRanges, type NumberRange, rangesContain, subtractRanges } from "./ranges.ts";

/** Small numbers, so that ranges meet, touch and overlap often. */
const SPACE = 120;

const range = fc
  .tuple(fc.nat(SPACE - 1), fc.nat(12))
  .map(([first, length]): NumberRange => ({ first, last: Math.min(SPACE - 1, first + length) }));
const anyRanges = fc.array(range, { maxLength: 16 });
const rangeSet = anyRanges.map(normalizeRanges);

function members(ranges: readonly NumberRange[]): Set<number> {
  const all = new Set<number>();
  for (const { first, last } of ranges) {
    for (let value = first; value <= last; value++) all.add(value);
  }
  return all;
}

/** Sorted, none empty, and with a gap before each but the first: the one way to write a set. */
function expectCanonical(ranges: readonly NumberRange[]): void {
  let previousLast = -Infinity;
  for (const { first, last } of ranges) {
    expect(first).toBeLessThanOrEqual(last);
    expect(first).toBeGreaterThan(previousLast + 1);
    previousLast = last;
  }
}

describe("normalizeRanges", () => {
  test("merges what overlaps or touches and keeps a gap of one", () => {
    const ranges = [
      { first: 20, last: 29 },
      { first: 1, last: 5 },
      { first: 6, last: 9 },
      { first: 11, last: 12 },
      { first: 22, last: 23 },
    ];
    expect(normalizeRanges(ranges)).toEqual([
      { first: 1, last: 9 },
      { first: 11, last: 12 },
      { first: 20, last: 29 },
    ]);
  });

  test("keeps the members and is canonical", () => {
    fc.assert(
      fc.property(anyRanges, (ranges) => {
        const normal = normalizeRanges(ranges);
        expectCanonical(normal);
        expect(members(normal)).toEqual(members(ranges));
      }),
    );
  });

  test("does not change its argument", () => {
    const ranges = Object.freeze([
      Object.freeze({ first: 5, last: 6 }),
      Object.freeze({ first: 1, last: 4 }),
      Object.freeze({ first: 2, last: 5 }),
    ]);
    expect(normalizeRanges(ranges)).toEqual([{ first: 1, last: 6 }]);
  });
});

describe("subtractRanges", () => {
  test("splits a range, and one hole may cut several", () => {
    expect(subtractRanges([{ first: 1, last: 9 }], [{ first: 4, last: 5 }])).toEqual([
      { first: 1, last: 3 },
      { first: 6, last: 9 },
    ]);
    const two = [
      { first: 1, last: 4 },
      { first: 8, last: 9 },
    ];
    expect(subtractRanges(two, [{ first: 3, last: 8 }])).toEqual([
      { first: 1, last: 2 },
      { first: 9, last: 9 },
    ]);
  });

  test("is set difference", () => {
    fc.assert(
      fc.property(rangeSet, rangeSet, (ranges, holes) => {
        const left = subtractRanges(ranges, holes);
        expectCanonical(left);
        expect(members(left)).toEqual(members(ranges).difference(members(holes)));
      }),
    );
  });
});

describe("countRanges and rangesContain", () => {
  test("agree with the members", () => {
    fc.assert(
      fc.property(rangeSet, (ranges) => {
        const all = members(ranges);
        expect(countRanges(ranges)).toBe(all.size);
        for (let value = -1; value <= SPACE; value++)
          expect(rangesContain(ranges, value)).toBe(all.has(value));
      }),
    );
  });

  test("are exact beyond 32 bits", () => {
    const wide = [{ first: 2 ** 40, last: 2 ** 45 }];
    expect(countRanges(wide)).toBe(2 ** 45 - 2 ** 40 + 1);
    expect(rangesContain(wide, 2 ** 45)).toBe(true);
    expect(rangesContain(wide, 2 ** 40 - 1)).toBe(false);
  });
});
