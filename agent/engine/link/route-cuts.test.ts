/** Cutting ranges at bounds: nothing is lost, nothing doubled, nothing crosses a bound. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { normalizeRanges } from "#shared/net/ranges.ts";
import { appendPiece, cutAtBounds, type RoutedPiece, splitAtSubnets } from "./route-cuts.ts";

const STEPS = { next: (value: number) => value + 1, previous: (value: number) => value - 1 };
const SMALL = fc.nat(300);

const rangesOf = fc
  .array(fc.tuple(SMALL, fc.nat(40)), { maxLength: 12 })
  .map((pairs) => normalizeRanges(pairs.map(([first, length]) => ({ first, last: first + length }))));
const boundsOf = fc.array(SMALL, { maxLength: 20 }).map((bounds) => bounds.toSorted((a, b) => a - b));

function each(ranges: Iterable<{ first: number; last: number }>): number[] {
  const values: number[] = [];
  for (const { first, last } of ranges) for (let value = first; value <= last; value++) values.push(value);
  return values;
}

describe("cutAtBounds", () => {
  test("keeps every address once and in order, with no bound inside a piece", () => {
    fc.assert(
      fc.property(rangesOf, boundsOf, (ranges, bounds) => {
        const pieces = [...cutAtBounds(ranges, bounds, STEPS)];
        expect(each(pieces)).toEqual(each(ranges));
        for (const { first, last } of pieces) {
          expect(bounds.some((bound) => bound > first && bound <= last)).toBe(false);
        }
      }),
    );
  });

  test("gives two pieces the same cell exactly where no bound parts them", () => {
    fc.assert(
      fc.property(rangesOf, boundsOf, (ranges, bounds) => {
        const pieces = [...cutAtBounds(ranges, bounds, STEPS)];
        pieces.forEach((piece, i) => {
          const next = pieces[i + 1];
          if (next === undefined) return;
          const parted = bounds.some((bound) => bound > piece.last && bound <= next.first);
          expect(next.cell === piece.cell).toBe(!parted);
        });
      }),
    );
  });

  test("works alike for the bigints of IPv6", () => {
    const pieces = cutAtBounds([{ first: 1n, last: 9n }], [4n, 9n], {
      previous: (value: bigint) => value - 1n,
    });
    expect([...pieces]).toEqual([
      { first: 1n, last: 3n, cell: 0 },
      { first: 4n, last: 8n, cell: 1 },
      { first: 9n, last: 9n, cell: 2 },
    ]);
  });
});

describe("appendPiece", () => {
  test("joins what follows on with the same route, and nothing else", () => {
    const pieces: RoutedPiece<number>[] = [];
    for (const [first, last, route] of [
      [0, 3, 1],
      [4, 9, 1],
      [11, 12, 1],
      [13, 13, 2],
    ] as const) {
      appendPiece(pieces, { first, last, route }, STEPS);
    }
    expect(pieces).toEqual([
      { first: 0, last: 9, route: 1 },
      { first: 11, last: 12, route: 1 },
      { first: 13, last: 13, route: 2 },
    ]);
  });
});

describe("splitAtSubnets", () => {
  test("cuts between one /64 and the next", () => {
    const subnet = 0x2001_0db8_0000_0001n << 64n;
    expect([...splitAtSubnets({ first: subnet - 2n, last: subnet + 2n ** 64n })]).toEqual([
      { first: subnet - 2n, last: subnet - 1n },
      { first: subnet, last: subnet + 2n ** 64n - 1n },
      { first: subnet + 2n ** 64n, last: subnet + 2n ** 64n },
    ]);
  });

  test("leaves a range within one /64 whole, up to the last address of all", () => {
    const last = 2n ** 128n - 1n;
    expect([...splitAtSubnets({ first: last - 5n, last })]).toEqual([{ first: last - 5n, last }]);
  });
});
