/**
 * The probe space: every address with every question, numbered from 0. Index = address number × questions + question;
 * addresses have their numbers from `stretches.ts`. Both ways, because replies name an address and a port.
 */

import { UsageError } from "#shared/errors.ts";
import type { AddressFamily, AddressWords } from "./address-words.ts";
import { MAX_PERMUTATION_SIZE } from "./permutation.ts";
import type { Questions } from "./questions.ts";
import { type Stretches, stretchOfNumber } from "./stretches.ts";

export interface ProbeSpace extends Stretches {
  readonly addressCount: number;
  readonly questions: Questions;
  readonly size: number;
}

/** @throws UsageError NOTHING_TO_SCAN or SCOPE_TOO_LARGE */
export function buildSpace(stretches: Stretches, questions: Questions): ProbeSpace {
  const addressCount = stretches.offsets.at(-1) ?? 0;
  const size = addressCount * questions.count;
  if (size === 0) throw new UsageError("NOTHING_TO_SCAN", "no address or no port is left to scan");
  if (size > MAX_PERMUTATION_SIZE) {
    throw new UsageError(
      "SCOPE_TOO_LARGE",
      `${size} probes are more than 2^48; scan fewer addresses or ports`,
    );
  }
  return { ...stretches, addressCount, questions, size };
}

/** The number of an IPv4 address, or -1 where it is not in the space. */
export function numberOfIpv4(stretches: Stretches, address: number): number {
  const { v4Firsts, offsets } = stretches;
  const value = address >>> 0;
  let low = 0;
  let high = v4Firsts.length - 1;
  if (high < 0) return -1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((v4Firsts[middle] ?? 0) >>> 0 <= value) low = middle;
    else high = middle - 1;
  }
  return numberWithin(offsets, low, value - ((v4Firsts[low] ?? 0) >>> 0));
}

/** The number of an IPv6 address, or -1 where it is not in the space. */
export function numberOfIpv6(stretches: Stretches, w0: number, w1: number, w2: number, w3: number): number {
  const { v4Firsts, v6Firsts, offsets } = stretches;
  let low = 0;
  let high = v6Firsts.length / 4 - 1;
  if (high < 0) return -1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (startsAtOrBefore(v6Firsts, middle * 4, w0, w1, w2, w3)) low = middle;
    else high = middle - 1;
  }
  const at = low * 4;
  if (v6Firsts[at] !== (w0 | 0) || v6Firsts[at + 1] !== (w1 | 0)) return -1;
  const high32 = (w2 >>> 0) - ((v6Firsts[at + 2] ?? 0) >>> 0);
  const within = high32 * 2 ** 32 + (w3 >>> 0) - ((v6Firsts[at + 3] ?? 0) >>> 0);
  return numberWithin(offsets, v4Firsts.length + low, within);
}

function numberWithin(offsets: Float64Array, stretch: number, within: number): number {
  const before = offsets[stretch] ?? 0;
  return within >= 0 && before + within < (offsets[stretch + 1] ?? 0) ? before + within : -1;
}

function startsAtOrBefore(
  firsts: Int32Array,
  at: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): boolean {
  let order = ((firsts[at] ?? 0) >>> 0) - (w0 >>> 0);
  if (order === 0) order = ((firsts[at + 1] ?? 0) >>> 0) - (w1 >>> 0);
  if (order === 0) order = ((firsts[at + 2] ?? 0) >>> 0) - (w2 >>> 0);
  if (order === 0) order = ((firsts[at + 3] ?? 0) >>> 0) - (w3 >>> 0);
  return order <= 0;
}

export function numberOfAddress(stretches: Stretches, family: AddressFamily, words: AddressWords): number {
  return family === 4 ? numberOfIpv4(stretches, words[3]) : numberOfIpv6(stretches, ...words);
}

/** Family of address number `n`. */
export function familyOfNumber({ v4Firsts, offsets }: Stretches, n: number): AddressFamily {
  return n < (offsets[v4Firsts.length] ?? 0) ? 4 : 6;
}

/** Words of address number `n`. Not for the hot path: it allocates. */
export function wordsOfNumber({ v4Firsts, v6Firsts, offsets }: Stretches, n: number): AddressWords {
  const stretch = stretchOfNumber(offsets, n);
  const within = n - (offsets[stretch] ?? 0);
  if (stretch < v4Firsts.length) return [0, 0, 0, ((v4Firsts[stretch] ?? 0) + within) | 0];
  const at = (stretch - v4Firsts.length) * 4;
  const low = ((v6Firsts[at + 3] ?? 0) >>> 0) + within;
  const carried = Math.floor(low / 2 ** 32);
  return [v6Firsts[at] ?? 0, v6Firsts[at + 1] ?? 0, ((v6Firsts[at + 2] ?? 0) + carried) | 0, low | 0];
}

/** A number for the network of address number `n`: its IPv4 /24, or its IPv6 /64. Two networks may share one, rarely. */
export function networkKeyOfNumber({ v4Firsts, v6Firsts, offsets }: Stretches, n: number): number {
  const stretch = stretchOfNumber(offsets, n);
  if (stretch < v4Firsts.length) return ((v4Firsts[stretch] ?? 0) + (n - (offsets[stretch] ?? 0))) >>> 8;
  const at = (stretch - v4Firsts.length) * 4;
  return Math.imul(v6Firsts[at] ?? 0, 31) ^ (v6Firsts[at + 1] ?? 0);
}
