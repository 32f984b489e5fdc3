/**
 * Sets of ports and of other small numbers: sorted, disjoint, inclusive ranges. Addresses, of which there may be
 * millions, are kept in `address-ranges.ts`.
 */

export interface Range<T extends number | bigint> {
  readonly first: T;
  readonly last: T;
}

export type NumberRange = Range<number>;

/** Sorts, and merges what overlaps or touches. */
export function normalizeRanges(ranges: readonly NumberRange[]): NumberRange[] {
  const sorted = ranges.toSorted((a, b) => a.first - b.first);
  const merged: NumberRange[] = [];
  for (const range of sorted) {
    const previous = merged.at(-1);
    if (previous !== undefined && range.first <= previous.last + 1) {
      if (range.last > previous.last) merged[merged.length - 1] = { first: previous.first, last: range.last };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

/** What is in `ranges` and not in `holes`; both sorted and disjoint. */
export function subtractRanges(ranges: readonly NumberRange[], holes: readonly NumberRange[]): NumberRange[] {
  const left: NumberRange[] = [];
  let holeIndex = 0;
  for (const { first, last } of ranges) {
    let from = first;
    for (; holeIndex < holes.length; holeIndex++) {
      const hole = holes[holeIndex];
      if (hole === undefined || hole.first > last) break;
      if (hole.last < from) continue;
      if (hole.first > from) left.push({ first: from, last: hole.first - 1 });
      from = hole.last + 1;
      // The hole may reach into the next range too, so it stays the current one.
      if (from > last) break;
    }
    if (from <= last) left.push({ first: from, last });
  }
  return left;
}

export function countRanges(ranges: readonly NumberRange[]): number {
  let count = 0;
  for (const { first, last } of ranges) count += last - first + 1;
  return count;
}

export function rangesContain(ranges: readonly NumberRange[], value: number): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const range = ranges[middle];
    if (range === undefined) return false;
    if (value < range.first) high = middle - 1;
    else if (value > range.last) low = middle + 1;
    else return true;
  }
  return false;
}
