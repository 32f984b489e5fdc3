/** Sets of both families, against a list of their members. The algebra itself is tested with `ranges.ts`. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type Address, formatAddress, parseAddress } from "./address.ts";
import {
  type AddressSet,
  addressSetOf,
  containsAddress,
  countAddresses,
  emptyAddressSet,
  subtractAddresses,
  unionAddresses,
} from "./address-set.ts";
import { IPV6_SPACE } from "./ipv6.ts";

/** Few addresses at the edge of the space, so that ranges meet often. */
const SPACE = 40;
const BASE = IPV6_SPACE - BigInt(SPACE);

const bounds = fc
  .tuple(fc.nat(SPACE - 1), fc.nat(8))
  .map(([first, length]) => [first, Math.min(SPACE - 1, first + length)] as const);
const someRanges = fc.array(bounds, { maxLength: 8 });
const addressSet = fc.tuple(someRanges, someRanges).map(([v4, v6]) =>
  addressSetOf(
    v4.map(([first, last]) => ({ first, last })),
    v6.map(([first, last]) => ({ first: BASE + BigInt(first), last: BASE + BigInt(last) })),
  ),
);

const EVERY_ADDRESS: readonly Address[] = Array.from({ length: SPACE }, (_, i): readonly Address[] => [
  { family: 4, value: i },
  { family: 6, value: BASE + BigInt(i) },
]).flat();

function members(set: AddressSet): Set<string> {
  const all = new Set<string>();
  for (const { first, last } of set.v4)
    for (let value = first; value <= last; value++) all.add(formatAddress({ family: 4, value }));
  for (const { first, last } of set.v6)
    for (let value = first; value <= last; value++) all.add(formatAddress({ family: 6, value }));
  return all;
}

test("union, difference, count and membership are those of the members", () => {
  fc.assert(
    fc.property(addressSet, addressSet, (a, b) => {
      expect(members(unionAddresses(a, b))).toEqual(members(a).union(members(b)));
      expect(members(subtractAddresses(a, b))).toEqual(members(a).difference(members(b)));
      expect(countAddresses(a)).toBe(members(a).size);
      for (const address of EVERY_ADDRESS)
        expect(containsAddress(a, address)).toBe(members(a).has(formatAddress(address)));
    }),
    { numRuns: 200 },
  );
});

test("results are sorted and disjoint", () => {
  fc.assert(
    fc.property(addressSet, addressSet, (a, b) => {
      for (const set of [unionAddresses(a, b), subtractAddresses(a, b)]) {
        expect(addressSetOf(set.v4, set.v6)).toEqual(set);
      }
    }),
  );
});

describe("countAddresses", () => {
  test("is exact where a scan can number addresses", () => {
    const set: AddressSet = { v4: [{ first: 0, last: 2 ** 32 - 1 }], v6: [{ first: 1n, last: 2n ** 48n }] };
    expect(countAddresses(set)).toBe(2 ** 48 + 2 ** 32);
    expect(countAddresses(emptyAddressSet)).toBe(0);
  });

  test("is near beyond", () => {
    expect(countAddresses({ v4: [], v6: [{ first: 0n, last: IPV6_SPACE - 1n }] })).toBe(2 ** 128);
  });
});

describe("parseAddress", () => {
  test.each([
    ["192.0.2.1", { family: 4, value: 0xc000_0201 }],
    ["::1", { family: 6, value: 1n }],
    ["::ffff:192.0.2.1", { family: 6, value: 0xffff_c000_0201n }],
  ] as const)("%s", (text, address) => {
    expect(parseAddress(text)).toEqual(address);
    expect(formatAddress(address)).toBe(text);
  });

  test.each(["", "192.0.2", "192.0.2.1/32", "::1%lo", "example.org"])("%p is none", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});
