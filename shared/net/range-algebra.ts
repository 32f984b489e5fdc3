/**
 * Sets of whole numbers as sorted, disjoint, inclusive ranges: the algebra, once for `number` and for `bigint`.
 * `ranges.ts` and `address-set.ts` give it names for ports and addresses.
 */

export interface Range<T extends number | bigint> {
  readonly first: T;
  readonly last: T;
}

/** What the algebra cannot say for both kinds of number by itself. */
export interface Steps<T extends number | bigint> {
  readonly next: (value: T) => T;
  readonly previous: (value: T) => T;
}

/** Sorts, and merges what overlaps or touches. */
export function normalize<T extends number | bigint>(
  ranges: readonly Range<T>[],
  { next }: Steps<T>,
): Range<T>[] {
  const sorted = ranges.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: Range<T>[] = [];
  for (const range of sorted) {
    const previous = merged.at(-1);
    if (previous !== undefined && range.first <= next(previous.last)) {
      if (range.last > previous.last) merged[merged.length - 1] = { first: previous.first, last: range.last };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

/** What is in `ranges` and not in `holes`; both sorted and disjoint. */
export function subtract<T extends number | bigint>(
  ranges: readonly Range<T>[],
  holes: readonly Range<T>[],
  { next, previous }: Steps<T>,
): Range<T>[] {
  const left: Range<T>[] = [];
  let holeIndex = 0;
  for (const { first, last } of ranges) {
    let from = first;
    let isCovered = false;
    for (; holeIndex < holes.length; holeIndex++) {
      const hole = holes[holeIndex];
      if (hole === undefined || hole.first > last) break;
      if (hole.last < from) continue;
      if (hole.first > from) left.push({ first: from, last: previous(hole.first) });
      isCovered = hole.last >= last;
      // The hole may reach into the next range too, so it stays the current one.
      if (isCovered) break;
      from = next(hole.last);
    }
    if (!isCovered) left.push({ first: from, last });
  }
  return left;
}

/** Whether a range of the sorted, disjoint `ranges` holds the value. */
export function contains<T extends number | bigint>(ranges: readonly Range<T>[], value: T): boolean {
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
