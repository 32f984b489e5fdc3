/**
 * Cuts addresses where routing may change: into cells, each between two bounds with none inside. Pure. Which route a cell
 * takes is asked in `ways-out.ts`.
 */

import type { AddressRanges } from "#shared/net/address-ranges.ts";
import { compareWords, copyPreviousWords, copyWords, distanceWords } from "#shared/net/address-words.ts";

/** All the addresses between two bounds. */
export interface Cell {
  /** The first of them and the last, as words. */
  readonly first: Uint32Array;
  readonly last: Uint32Array;
  readonly count: number;
}

/**
 * The cells that hold any address, in order. One sweep over both, and nothing is made for a range.
 * @param bounds addresses as words, sorted; each begins a new cell. Doubles do no harm
 */
export function* cellsOf({ words, width }: AddressRanges, bounds: Uint32Array): Generator<Cell> {
  /** Place of the first bound beyond `from`, which is what comes next. */
  let bound = 0;
  const from = new Uint32Array(width);
  const first = new Uint32Array(width);
  const last = new Uint32Array(width);
  let count = 0;
  for (let at = 0; at < words.length; at += 2 * width) {
    const end = at + width;
    copyWords(words, at, from, 0, width);
    for (;;) {
      if (bound < bounds.length && compareWords(bounds, bound, from, 0, width) <= 0) {
        if (count > 0) yield { first: first.slice(), last: last.slice(), count };
        count = 0;
        while (bound < bounds.length && compareWords(bounds, bound, from, 0, width) <= 0) bound += width;
      }
      if (count === 0) copyWords(from, 0, first, 0, width);
      if (bound >= bounds.length || compareWords(bounds, bound, words, end, width) > 0) break;
      count += distanceWords(from, 0, bounds, bound, width);
      copyPreviousWords(bounds, bound, last, 0, width);
      copyWords(bounds, bound, from, 0, width);
    }
    count += distanceWords(from, 0, words, end, width) + 1;
    copyWords(words, end, last, 0, width);
  }
  if (count > 0) yield { first, last, count };
}
