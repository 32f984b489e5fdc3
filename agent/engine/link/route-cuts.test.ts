/** Cutting ranges at bounds: nothing is lost, nothing doubled, and no bound lies inside a cell. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type AddressRanges, ipv4RangesOf, ipv6RangesOf } from "#shared/net/address-ranges.ts";
import { addressSetOf } from "#shared/net/address-set.ts";
import { bigintOfWords, setBigint } from "#shared/net/address-words.ts";
import { cellsOf } from "./route-cuts.ts";

/** Small numbers, so that ranges and bounds meet often: of IPv4, and of IPv6 where its words end. */
const BASES = { 4: 0n, 6: (1n << 96n) - 150n } as const;
const SPACE = 340;
const someRanges = fc.array(fc.tuple(fc.nat(300), fc.nat(SPACE - 300 - 1)), { maxLength: 12 });
const someBounds = fc
  .array(fc.nat(SPACE), { maxLength: 20 })
  .map((bounds) => bounds.toSorted((a, b) => a - b));

interface Numbers {
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

function rangesOf(family: 4 | 6, pairs: readonly (readonly [number, number])[]): AddressRanges {
  const ranges = pairs.map(([first, length]) => ({ first, last: first + length }));
  if (family === 4) return addressSetOf(ranges, []).v4;
  const at = (n: number): bigint => BASES[6] + BigInt(n);
  return addressSetOf(
    [],
    ranges.map(({ first, last }) => ({ first: at(first), last: at(last) })),
  ).v6;
}

function membersOf(family: 4 | 6, ranges: AddressRanges): number[] {
  const members: number[] = [];
  for (const { first, last } of family === 4 ? ipv4RangesOf(ranges) : ipv6RangesOf(ranges)) {
    for (let value = BigInt(first); value <= BigInt(last); value++)
      members.push(Number(value - BASES[family]));
  }
  return members;
}

function cells(family: 4 | 6, ranges: AddressRanges, bounds: readonly number[]): Numbers[] {
  const words = new Uint32Array(bounds.length * ranges.width);
  bounds.forEach((bound, i) => {
    if (family === 4) words[i] = bound;
    else setBigint(words, i * 4, BASES[6] + BigInt(bound));
  });
  const numberOf = (address: Uint32Array): number =>
    family === 4 ? (address[0] ?? 0) : Number(bigintOfWords(address, 0) - BASES[6]);
  return [...cellsOf(ranges, words)].map(({ first, last, count }) => ({
    first: numberOf(first),
    last: numberOf(last),
    count,
  }));
}

describe.each([4, 6] as const)("cellsOf, IPv%d", (family) => {
  test("has every address in one cell, and in order", () => {
    fc.assert(
      fc.property(someRanges, someBounds, (pairs, bounds) => {
        const ranges = rangesOf(family, pairs);
        const members = membersOf(family, ranges);
        const found = cells(family, ranges, bounds).map(({ first, last, count }) => {
          const within = members.filter((member) => member >= first && member <= last);
          expect(within).toHaveLength(count);
          expect([within.at(0), within.at(-1)]).toEqual([first, last]);
          return within;
        });
        expect(found.flat()).toEqual(members);
      }),
    );
  });

  test("parts two addresses exactly where a bound does", () => {
    fc.assert(
      fc.property(someRanges, someBounds, (pairs, bounds) => {
        const ranges = rangesOf(family, pairs);
        const members = membersOf(family, ranges);
        const parted = members.filter((member, i) => {
          const before = members[i - 1];
          return before === undefined || bounds.some((bound) => bound > before && bound <= member);
        });
        expect(cells(family, ranges, bounds).map(({ first }) => first)).toEqual(parted);
      }),
    );
  });
});

test("the last address of all may be in a cell, and may be one", () => {
  const last = 2 ** 32 - 1;
  const ranges = addressSetOf([{ first: last - 4, last }], []).v4;
  expect(cells(4, ranges, [0, last])).toEqual([
    { first: last - 4, last: last - 1, count: 4 },
    { first: last, last, count: 1 },
  ]);
});
