/** Sets of addresses of both families: what a scan is aimed at. Sorted, disjoint, inclusive ranges in each. */

import type { Address } from "./address.ts";
import { contains, normalize, type Range, type Steps, subtract } from "./range-algebra.ts";
import { countRanges, normalizeRanges, type NumberRange, rangesContain, subtractRanges } from "./ranges.ts";

/** IPv6 addresses as 128-bit numbers. */
export type BigRange = Range<bigint>;

export interface AddressSet {
  readonly v4: readonly NumberRange[];
  readonly v6: readonly BigRange[];
}

export const emptyAddressSet: AddressSet = { v4: [], v6: [] };

const BIG_STEPS: Steps<bigint> = { next: (value) => value + 1n, previous: (value) => value - 1n };

/** The set of these ranges, which may overlap and come in any order. */
export function addressSetOf(v4: readonly NumberRange[], v6: readonly BigRange[]): AddressSet {
  return { v4: normalizeRanges(v4), v6: normalize(v6, BIG_STEPS) };
}

export function unionAddresses(...sets: readonly AddressSet[]): AddressSet {
  return addressSetOf(
    sets.flatMap(({ v4 }) => v4),
    sets.flatMap(({ v6 }) => v6),
  );
}

/** What is in `set` and not in `holes`. */
export function subtractAddresses(set: AddressSet, holes: AddressSet): AddressSet {
  return { v4: subtractRanges(set.v4, holes.v4), v6: subtract(set.v6, holes.v6, BIG_STEPS) };
}

/** How many addresses; exact up to 2⁵³, and beyond it the nearest number there is. */
export function countAddresses({ v4, v6 }: AddressSet): number {
  let count = 0n;
  for (const { first, last } of v6) count += last - first + 1n;
  return countRanges(v4) + Number(count);
}

export function containsAddress({ v4, v6 }: AddressSet, address: Address): boolean {
  return address.family === 4 ? rangesContain(v4, address.value) : contains(v6, address.value);
}
