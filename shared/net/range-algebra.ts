/** Union and difference of sets of addresses of one family. */

import { type AddressRanges, rangeEndingFrom } from "./address-ranges.ts";
import { compareWords, copyNextWords, copyPreviousWords, copyWords } from "./address-words.ts";
import { RangeCollector } from "./range-collector.ts";

/** What is in either. */
export function uniteRanges(a: AddressRanges, b: AddressRanges): AddressRanges {
  if (b.length === 0) return a;
  if (a.length === 0) return b;
  const all = new RangeCollector(a.width);
  all.addAll(a);
  all.addAll(b);
  return all.take();
}

/** What is in `ranges` and not in `holes`: `ranges` itself where that is all of it. */
export function withoutRanges(ranges: AddressRanges, holes: AddressRanges): AddressRanges {
  if (!doMeet(ranges, holes)) return ranges;
  const { words, width } = ranges;
  const left = new RangeCollector(width);
  /** The addresses between which something is left. */
  const [from, to] = [new Uint32Array(width), new Uint32Array(width)];
  let hole = 0;
  for (let at = 0; at < words.length; at += 2 * width) {
    const last = at + width;
    let isCovered = false;
    copyWords(words, at, from, 0, width);
    for (; hole < holes.words.length; hole += 2 * width) {
      if (compareWords(holes.words, hole, words, last, width) > 0) break;
      if (compareWords(holes.words, hole + width, from, 0, width) < 0) continue;
      if (compareWords(holes.words, hole, from, 0, width) > 0) {
        copyPreviousWords(holes.words, hole, to, 0, width);
        left.addWords(from, 0, to, 0);
      }
      isCovered = compareWords(holes.words, hole + width, words, last, width) >= 0;
      // The hole may reach into the next range too, so it stays the current one.
      if (isCovered) break;
      copyNextWords(holes.words, hole + width, from, 0, width);
    }
    if (!isCovered) left.addWords(from, 0, words, last);
  }
  return left.take();
}

function doMeet(a: AddressRanges, b: AddressRanges): boolean {
  const [few, many] = a.length < b.length ? [a, b] : [b, a];
  const { width } = few;
  for (let at = 0; at < few.words.length; at += 2 * width) {
    const place = rangeEndingFrom(many, few.words, at) * 2 * width;
    const isMet =
      place < many.words.length && compareWords(many.words, place, few.words, at + width, width) <= 0;
    if (isMet) return true;
  }
  return false;
}
