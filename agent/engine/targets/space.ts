/**
 * The probe space: every address with every question, numbered from 0. Index = address number × questions + question, where addresses
 * are numbered along their ranges, IPv4 before IPv6. Both ways, because replies name an address and a port.
 */

import { UsageError } from "#shared/errors.ts";
import type { AddressFamily, AddressWords } from "./address-words.ts";
import { MAX_PERMUTATION_SIZE } from "./permutation.ts";
import type { Questions } from "./questions.ts";

/** A stretch of consecutive addresses. An IPv6 one lies within one /64, so only its last two words change. */
export interface AddressStretch {
  readonly family: AddressFamily;
  readonly first: AddressWords;
  readonly count: number;
}

export interface ProbeSpace {
  readonly families: Uint8Array;
  /** Four words a stretch: its first address. */
  readonly firsts: Int32Array;
  /** Addresses in all stretches before this one; one more entry holds the total. */
  readonly offsets: Float64Array;
  /** IPv4 stretches come first; this many. */
  readonly v4Stretches: number;
  readonly addressCount: number;
  readonly questions: Questions;
  readonly size: number;
}

/**
 * @param stretches disjoint; all IPv4 before all IPv6, sorted within each family
 * @throws UsageError NOTHING_TO_SCAN or SCOPE_TOO_LARGE
 */
export function buildSpace(stretches: readonly AddressStretch[], questions: Questions): ProbeSpace {
  // In shared memory: every thread looks here, and there may be a million stretches.
  const families = new Uint8Array(new SharedArrayBuffer(stretches.length));
  const firsts = new Int32Array(new SharedArrayBuffer(stretches.length * 16));
  const offsets = new Float64Array(new SharedArrayBuffer((stretches.length + 1) * 8));
  let addressCount = 0;
  let v4Stretches = 0;
  stretches.forEach(({ family, first, count }, i) => {
    families[i] = family;
    firsts.set(first, i * 4);
    offsets[i] = addressCount;
    addressCount += count;
    if (family === 4) v4Stretches++;
  });
  offsets[stretches.length] = addressCount;
  const size = addressCount * questions.count;
  if (size === 0) throw new UsageError("NOTHING_TO_SCAN", "no address or no port is left to scan");
  if (size > MAX_PERMUTATION_SIZE) {
    throw new UsageError(
      "SCOPE_TOO_LARGE",
      `${size} probes are more than 2^48; scan fewer addresses or ports`,
    );
  }
  return { families, firsts, offsets, v4Stretches, addressCount, questions, size };
}

/** A stretch as it was given. Allocates. */
export function stretchAt({ families, firsts, offsets }: ProbeSpace, stretch: number): AddressStretch {
  const at = stretch * 4;
  return {
    family: families[stretch] === 6 ? 6 : 4,
    first: [firsts[at] ?? 0, firsts[at + 1] ?? 0, firsts[at + 2] ?? 0, firsts[at + 3] ?? 0],
    count: (offsets[stretch + 1] ?? 0) - (offsets[stretch] ?? 0),
  };
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

/** The number of an IPv4 address, or -1 where it is not in the space. */
export function numberOfIpv4(space: ProbeSpace, address: number): number {
  const { firsts, offsets, v4Stretches } = space;
  const value = address >>> 0;
  let low = 0;
  let high = v4Stretches - 1;
  if (high < 0) return -1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((firsts[middle * 4 + 3] ?? 0) >>> 0 <= value) low = middle;
    else high = middle - 1;
  }
  return numberWithin(offsets, low, value - ((firsts[low * 4 + 3] ?? 0) >>> 0));
}

/** The number of an IPv6 address, or -1 where it is not in the space. */
export function numberOfIpv6(space: ProbeSpace, w0: number, w1: number, w2: number, w3: number): number {
  const { firsts, offsets, v4Stretches, families } = space;
  let low = v4Stretches;
  let high = families.length - 1;
  if (high < low) return -1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (startsAtOrBefore(firsts, middle * 4, w0, w1, w2, w3)) low = middle;
    else high = middle - 1;
  }
  const at = low * 4;
  if (firsts[at] !== (w0 | 0) || firsts[at + 1] !== (w1 | 0)) return -1;
  const high32 = (w2 >>> 0) - ((firsts[at + 2] ?? 0) >>> 0);
  return numberWithin(offsets, low, high32 * 2 ** 32 + (w3 >>> 0) - ((firsts[at + 3] ?? 0) >>> 0));
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

export function numberOfAddress(space: ProbeSpace, family: AddressFamily, words: AddressWords): number {
  return family === 4 ? numberOfIpv4(space, words[3]) : numberOfIpv6(space, ...words);
}

/** Family of address number `n`. */
export function familyOfNumber(space: ProbeSpace, n: number): AddressFamily {
  return space.families[stretchOfNumber(space.offsets, n)] === 6 ? 6 : 4;
}

/** Words of address number `n`. Not for the hot path: it allocates. */
export function wordsOfNumber(space: ProbeSpace, n: number): AddressWords {
  const { firsts, offsets } = space;
  const stretch = stretchOfNumber(offsets, n);
  const at = stretch * 4;
  const low = ((firsts[at + 3] ?? 0) >>> 0) + (n - (offsets[stretch] ?? 0));
  const carried = Math.floor(low / 2 ** 32);
  return [firsts[at] ?? 0, firsts[at + 1] ?? 0, ((firsts[at + 2] ?? 0) + carried) | 0, low | 0];
}

/** A number for the network of address number `n`: its IPv4 /24, or its IPv6 /64. Two networks may share one, rarely. */
export function networkKeyOfNumber(space: ProbeSpace, n: number): number {
  const { firsts, offsets, families } = space;
  const stretch = stretchOfNumber(offsets, n);
  const at = stretch * 4;
  if (families[stretch] === 6) return Math.imul(firsts[at] ?? 0, 31) ^ (firsts[at + 1] ?? 0);
  return ((firsts[at + 3] ?? 0) + (n - (offsets[stretch] ?? 0))) >>> 8;
}
