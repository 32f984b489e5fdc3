/** Sets of both families, against a list of their members. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type Address, formatAddress, parseAddress } from "./address.ts";
import { ipv4RangesOf, ipv6RangesOf } from "./address-ranges.ts";
import {
  AddressCollector,
  type AddressSet,
  addressSetOf,
  areSameAddresses,
  containsAddress,
  countAddresses,
  emptyAddressSet,
  subtractAddresses,
  unionAddresses,
} from "./address-set.ts";
import { IPV4_SPACE } from "./ipv4.ts";
import { IPV6_SPACE } from "./ipv6.ts";

/** Few addresses, so that ranges meet often, at places where a word ends: the last of all, and two others of IPv6. */
const SPACE = 40;
const BASE4 = IPV4_SPACE - SPACE;
const BASES6 = [IPV6_SPACE - BigInt(SPACE), (1n << 64n) - 20n, (0xfd00n << 112n) + (1n << 32n) - 20n];

const bounds = fc
  .tuple(fc.nat(SPACE - 1), fc.nat(8))
  .map(([first, length]) => [first, Math.min(SPACE - 1, first + length)] as const);
const someRanges = fc.array(bounds, { maxLength: 8 });
/** Sets made of the same ranges in both families, IPv6 about one of the bases. */
function setOf(v4: readonly (readonly [number, number])[], v6: typeof v4, base: bigint): AddressSet {
  return addressSetOf(
    v4.map(([first, last]) => ({ first: BASE4 + first, last: BASE4 + last })),
    v6.map(([first, last]) => ({ first: base + BigInt(first), last: base + BigInt(last) })),
  );
}
const somePair = fc
  .tuple(fc.constantFrom(...BASES6), someRanges, someRanges, someRanges, someRanges)
  .map(([base, a4, a6, b4, b6]) => ({ base, a: setOf(a4, a6, base), b: setOf(b4, b6, base) }));

function everyAddress(base: bigint): Address[] {
  return Array.from({ length: SPACE }, (_, i): readonly Address[] => [
    { family: 4, value: BASE4 + i },
    { family: 6, value: base + BigInt(i) },
  ]).flat();
}

function members(set: AddressSet): Set<string> {
  const all = new Set<string>();
  for (const { first, last } of ipv4RangesOf(set.v4))
    for (let value = first; value <= last; value++) all.add(formatAddress({ family: 4, value }));
  for (const { first, last } of ipv6RangesOf(set.v6))
    for (let value = first; value <= last; value++) all.add(formatAddress({ family: 6, value }));
  return all;
}

/** Sorted, none empty, and with a gap before each but the first: the one way to write a set. */
function expectCanonical({ v4, v6 }: AddressSet): void {
  const ranges4 = [...ipv4RangesOf(v4)].map(({ first, last }) => ({
    first: BigInt(first),
    last: BigInt(last),
  }));
  for (const [ranges, length] of [
    [ranges4, v4.length],
    [[...ipv6RangesOf(v6)], v6.length],
  ] as const) {
    expect(ranges).toHaveLength(length);
    let previousLast = -2n;
    for (const { first, last } of ranges) {
      expect(first <= last && first > previousLast + 1n).toBe(true);
      previousLast = last;
    }
  }
}

test("union, difference, count, sameness and membership are those of the members", () => {
  fc.assert(
    fc.property(somePair, ({ base, a, b }) => {
      expect(members(unionAddresses(a, b))).toEqual(members(a).union(members(b)));
      expect(members(subtractAddresses(a, b))).toEqual(members(a).difference(members(b)));
      expect(countAddresses(a)).toBe(members(a).size);
      expect(areSameAddresses(a, b)).toBe(members(a).symmetricDifference(members(b)).size === 0);
      for (const address of everyAddress(base))
        expect(containsAddress(a, address)).toBe(members(a).has(formatAddress(address)));
    }),
    { numRuns: 300 },
  );
});

test("results are canonical", () => {
  fc.assert(
    fc.property(somePair, ({ a, b }) => {
      for (const set of [a, b, unionAddresses(a, b), subtractAddresses(a, b)]) expectCanonical(set);
    }),
  );
});

test("what is collected in any order is one set, also far apart and of many", () => {
  const value6 = fc.bigInt({ min: 0n, max: IPV6_SPACE - 1n });
  const address: fc.Arbitrary<Address> = fc.oneof(
    fc.nat(IPV4_SPACE - 1).map((value) => ({ family: 4, value }) as const),
    value6.map((value) => ({ family: 6, value }) as const),
  );
  fc.assert(
    fc.property(fc.array(address, { minLength: 1, maxLength: 200 }), (addresses) => {
      const collector = new AddressCollector();
      for (const one of addresses) collector.add(one);
      const set = collector.take();
      expectCanonical(set);
      expect(members(set)).toEqual(new Set(addresses.map(formatAddress)));
      // It is empty again.
      expect(collector.take()).toEqual(emptyAddressSet);
    }),
  );
});

test("a difference that takes nothing away shares its memory", () => {
  const set = addressSetOf([{ first: 5, last: 9 }], [{ first: 5n, last: 9n }]);
  const holes = addressSetOf(
    [
      { first: 1, last: 4 },
      { first: 10, last: 10 },
    ],
    [{ first: 10n, last: 99n }],
  );
  expect(subtractAddresses(set, holes).v4.words).toBe(set.v4.words);
  expect(subtractAddresses(set, holes).v6.words).toBe(set.v6.words);
});

describe("countAddresses", () => {
  test("is exact where a scan can number addresses", () => {
    const set = addressSetOf([{ first: 0, last: 2 ** 32 - 1 }], [{ first: 1n, last: 2n ** 48n }]);
    expect(countAddresses(set)).toBe(2 ** 48 + 2 ** 32);
    expect(countAddresses(emptyAddressSet)).toBe(0);
  });

  test("is exact across the ends of words", () => {
    const around = 2n ** 64n;
    const v6 = [{ first: around - 2n ** 40n - 1n, last: around + 2n ** 40n }];
    expect(countAddresses(addressSetOf([], v6))).toBe(2 ** 41 + 2);
  });

  test("is near beyond", () => {
    expect(countAddresses(addressSetOf([], [{ first: 0n, last: IPV6_SPACE - 1n }]))).toBe(2 ** 128);
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
