/**
 * Addresses of one family as ranges: sorted, disjoint, with a gap between each two. Kept as words in one array, eight
 * bytes a range of IPv4, because a list of targets may have a million of them. Made by `range-collector.ts`.
 */

import { type AddressWidth, bigintOfWords, compareWords, distanceWords } from "./address-words.ts";
import type { NumberRange, Range } from "./ranges.ts";

/** IPv6 addresses as 128-bit numbers. */
export type BigRange = Range<bigint>;

export interface AddressRanges {
  readonly width: AddressWidth;
  /** How many ranges. */
  readonly length: number;
  /** The words of each range's first address and then of its last, which belongs to it. */
  readonly words: Uint32Array;
}

/** IPv4 ranges, one after the other. */
export function* ipv4RangesOf({ words }: AddressRanges): Generator<NumberRange> {
  for (let at = 0; at < words.length; at += 2) yield { first: words[at] ?? 0, last: words[at + 1] ?? 0 };
}

/** IPv6 ranges, one after the other. */
export function* ipv6RangesOf({ words }: AddressRanges): Generator<BigRange> {
  for (let at = 0; at < words.length; at += 8) {
    yield { first: bigintOfWords(words, at), last: bigintOfWords(words, at + 4) };
  }
}

/** How many addresses; exact up to 2⁵³, and near beyond. */
export function countAddressesIn({ words, width }: AddressRanges): number {
  let count = 0;
  for (let at = 0; at < words.length; at += 2 * width) {
    count += distanceWords(words, at, words, at + width, width) + 1;
  }
  return count;
}

/** Whether a range holds the address at address[at]. */
export function rangesHold(ranges: AddressRanges, address: Uint32Array, at = 0): boolean {
  const { words, width } = ranges;
  const place = rangeEndingFrom(ranges, address, at) * 2 * width;
  return place < words.length && compareWords(words, place, address, at, width) <= 0;
}

export function areSameRanges(a: AddressRanges, b: AddressRanges): boolean {
  return a.length === b.length && a.words.every((word, i) => word === b.words[i]);
}

/** The first range that ends at or after the address at address[at]; `length` where none does. */
export function rangeEndingFrom(
  { words, width, length }: AddressRanges,
  address: Uint32Array,
  at: number,
): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareWords(words, (2 * middle + 1) * width, address, at, width) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
