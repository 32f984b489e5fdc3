/**
 * Sets of ports and of IPv4 addresses: sorted, disjoint, inclusive ranges of numbers.
 * Every function keeps the order and never joins what has a gap.
 */

import { contains, normalize, type Range, type Steps, subtract } from "./range-algebra.ts";

export type NumberRange = Range<number>;

const STEPS: Steps<number> = { next: (value) => value + 1, previous: (value) => value - 1 };

/** Sorts, and merges what overlaps or touches. */
export function normalizeRanges(ranges: readonly NumberRange[]): NumberRange[] {
  return normalize(ranges, STEPS);
}

/** What is in `ranges` and not in `holes`; both sorted and disjoint. */
export function subtractRanges(ranges: readonly NumberRange[], holes: readonly NumberRange[]): NumberRange[] {
  return subtract(ranges, holes, STEPS);
}

export function countRanges(ranges: readonly NumberRange[]): number {
  let count = 0;
  for (const { first, last } of ranges) count += last - first + 1;
  return count;
}

export function rangesContain(ranges: readonly NumberRange[], value: number): boolean {
  return contains(ranges, value);
}
