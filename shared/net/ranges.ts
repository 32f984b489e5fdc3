/**
 * Sets of whole numbers as sorted, disjoint, inclusive ranges.
 * Addresses and ports both are such sets; every function keeps the order and never joins what has a gap.
 */

export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

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
  let hole = 0;
  for (const range of ranges) {
    let first = range.first;
    while (hole < holes.length && (holes[hole]?.last ?? 0) < first) hole++;
    for (let i = hole; i < holes.length; i++) {
      const { first: from, last: to } = holes[i] ?? { first: Infinity, last: Infinity };
      if (from > range.last) break;
      if (from > first) left.push({ first, last: from - 1 });
      first = to + 1;
      if (first > range.last) break;
    }
    if (first <= range.last) left.push({ first, last: range.last });
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
