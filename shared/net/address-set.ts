/** Sets of addresses of both families: what a scan is aimed at. */

import type { Address } from "./address.ts";
import {
  type AddressRanges,
  areSameRanges,
  type BigRange,
  countAddressesIn,
  rangesHold,
} from "./address-ranges.ts";
import { setBigint } from "./address-words.ts";
import { uniteRanges, withoutRanges } from "./range-algebra.ts";
import { RangeCollector } from "./range-collector.ts";
import type { NumberRange } from "./ranges.ts";

/** Never changed once it is made, so sets may share memory. */
export interface AddressSet {
  readonly v4: AddressRanges;
  readonly v6: AddressRanges;
}

/** Makes a set of what comes piece by piece. */
export class AddressCollector {
  readonly v4 = new RangeCollector(1);
  readonly v6 = new RangeCollector(4);

  add(address: Address): void {
    if (address.family === 4) this.v4.addIpv4(address.value, address.value);
    else this.v6.addIpv6(address.value, address.value);
  }

  /** What was added. The collector is empty again. */
  take(): AddressSet {
    return { v4: this.v4.take(), v6: this.v6.take() };
  }
}

/** The set of these ranges, which may overlap and come in any order. */
export function addressSetOf(v4: Iterable<NumberRange>, v6: Iterable<BigRange>): AddressSet {
  const collector = new AddressCollector();
  for (const { first, last } of v4) collector.v4.addIpv4(first, last);
  for (const { first, last } of v6) collector.v6.addIpv6(first, last);
  return collector.take();
}

export const emptyAddressSet: AddressSet = addressSetOf([], []);

export function unionAddresses(a: AddressSet, b: AddressSet): AddressSet {
  return { v4: uniteRanges(a.v4, b.v4), v6: uniteRanges(a.v6, b.v6) };
}

/** What is in `set` and not in `holes`. */
export function subtractAddresses(set: AddressSet, holes: AddressSet): AddressSet {
  return { v4: withoutRanges(set.v4, holes.v4), v6: withoutRanges(set.v6, holes.v6) };
}

/** How many addresses; exact up to 2⁵³, and near beyond. */
export function countAddresses({ v4, v6 }: AddressSet): number {
  return countAddressesIn(v4) + countAddressesIn(v6);
}

export function containsAddress({ v4, v6 }: AddressSet, address: Address): boolean {
  if (address.family === 4) return rangesHold(v4, Uint32Array.of(address.value));
  const words = new Uint32Array(4);
  setBigint(words, 0, address.value);
  return rangesHold(v6, words);
}

export function areSameAddresses(a: AddressSet, b: AddressSet): boolean {
  return areSameRanges(a.v4, b.v4) && areSameRanges(a.v6, b.v6);
}
