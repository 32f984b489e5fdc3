/**
 * The addresses of a scan, numbered from 0 along their ranges, IPv4 before IPv6. In shared memory, and no more of it than
 * a word or four and an offset for each stretch: every thread looks here, and there may be a million stretches.
 */

import type { AddressRanges } from "#shared/net/address-ranges.ts";
import type { AddressSet } from "#shared/net/address-set.ts";
import { compareWords, copyNextWords, copyWords, distanceWords } from "#shared/net/address-words.ts";
import { type AddressFamily, type AddressWords, wordsAt, wordsOfIpv4 } from "./address-words.ts";

export interface Stretches {
  /** The first address of each stretch of IPv4. */
  readonly v4Firsts: Int32Array;
  /** The four words of the first address of each stretch of IPv6, which lies within one /64. */
  readonly v6Firsts: Int32Array;
  /** Addresses in all stretches before this one, those of IPv4 first; one more entry holds the total. */
  readonly offsets: Float64Array;
}

/** Consecutive addresses. Of IPv6 ones only the last two words change. */
export interface AddressStretch {
  readonly family: AddressFamily;
  readonly first: AddressWords;
  readonly count: number;
}

/** A stretch for each range of the set, cut where an IPv6 /64 ends. */
export function stretchesOf({ v4, v6 }: AddressSet): Stretches {
  const v6Count = countSubnets(v6);
  const stretches = {
    v4Firsts: new Int32Array(new SharedArrayBuffer(v4.length * 4)),
    v6Firsts: new Int32Array(new SharedArrayBuffer(v6Count * 16)),
    offsets: new Float64Array(new SharedArrayBuffer((v4.length + v6Count + 1) * 8)),
  };
  fillV6(stretches, v6, v4.length, fillV4(stretches, v4));
  return stretches;
}

/** Returns the number of addresses. */
function fillV4({ v4Firsts, offsets }: Stretches, { words, length }: AddressRanges): number {
  let count = 0;
  for (let stretch = 0; stretch < length; stretch++) {
    const first = words[stretch * 2] ?? 0;
    v4Firsts[stretch] = first;
    count += (words[stretch * 2 + 1] ?? 0) - first + 1;
    offsets[stretch + 1] = count;
  }
  return count;
}

function fillV6(
  { v6Firsts, offsets }: Stretches,
  { words }: AddressRanges,
  firstStretch: number,
  addressesBefore: number,
): void {
  let stretch = firstStretch;
  let count = addressesBefore;
  /** First and last address of what lies in one /64. */
  const part = new Uint32Array(8);
  for (let at = 0; at < words.length; at += 8) {
    copyWords(words, at, part, 0, 4);
    for (let isEnd = false; !isEnd; copyNextWords(part, 4, part, 0, 4)) {
      isEnd = compareWords(part, 0, words, at + 4, 2) === 0;
      copyWords(part, 0, part, 4, 2);
      part.fill(0xffff_ffff, 6);
      if (isEnd) copyWords(words, at + 4, part, 4, 4);
      v6Firsts.set(part.subarray(0, 4), (stretch - firstStretch) * 4);
      count += distanceWords(part, 0, part, 4, 4) + 1;
      offsets[++stretch] = count;
    }
  }
}

/** How many /64s the ranges lie in, one that two of them share counted twice. */
function countSubnets({ words }: AddressRanges): number {
  let count = 0;
  for (let at = 0; at < words.length; at += 8) count += distanceWords(words, at, words, at + 4, 2) + 1;
  return count;
}

/** A stretch as a value. Allocates. */
export function stretchAt({ v4Firsts, v6Firsts, offsets }: Stretches, stretch: number): AddressStretch {
  const count = (offsets[stretch + 1] ?? 0) - (offsets[stretch] ?? 0);
  if (stretch < v4Firsts.length) {
    return { family: 4, first: wordsOfIpv4(v4Firsts[stretch] ?? 0), count };
  }
  return { family: 6, first: wordsAt(v6Firsts, (stretch - v4Firsts.length) * 4), count };
}

/** The stretch that holds address number `n`: the greatest i with offsets[i] ≤ n. */
export function stretchOfNumber(offsets: Float64Array, n: number): number {
  let low = 0;
  let high = offsets.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((offsets[middle] ?? 0) <= n) low = middle;
    else high = middle - 1;
  }
  return low;
}
