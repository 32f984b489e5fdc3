/** Number ⇄ address, against the obvious oracle: the list of all addresses. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type BigRange, ipv4RangesOf, ipv6RangesOf } from "#shared/net/address-ranges.ts";
import { addressSetOf } from "#shared/net/address-set.ts";
import { IPV4_SPACE } from "#shared/net/ipv4.ts";
import type { NumberRange } from "#shared/net/ranges.ts";
import { ipv6OfWords, wordsOfIpv4, wordsOfIpv6 } from "./address-words.ts";
import { portQuestions } from "./questions.ts";
import {
  buildSpace,
  familyOfNumber,
  networkKeyOfNumber,
  numberOfAddress,
  numberOfIpv4,
  numberOfIpv6,
  type ProbeSpace,
  wordsOfNumber,
} from "./space.ts";
import { stretchesOf, stretchOfNumber } from "./stretches.ts";

const questions = (count: number) => portQuestions([{ first: 1, last: count }], [], () => [0]);
const ONE = questions(1);

function spaceOf(v4: readonly NumberRange[], v6: readonly BigRange[], asked = ONE): ProbeSpace {
  return buildSpace(stretchesOf(addressSetOf(v4, v6)), asked);
}

function from6(first: bigint, count: number): BigRange {
  return { first, last: first + BigInt(count) - 1n };
}

/** Ranges that meet, touch and overlap, about a few places where arithmetic tends to go wrong. */
const v4 = fc
  .tuple(fc.constantFrom(0, 0x0a00_0000, 2 ** 31 - 20, IPV4_SPACE - 40), fc.nat(30), fc.nat(8))
  .map(([base, offset, length]) => ({ first: base + offset, last: base + offset + length }));
const PREFIX = 0x2001_0db8n << 96n;
/** Where a word ends, where a sign turns, where a /64 ends, and where addresses do. */
const BASES6 = [0n, PREFIX, PREFIX + 2n ** 31n - 20n, PREFIX + 2n ** 32n - 20n, PREFIX + 2n ** 63n - 20n];
const v6 = fc
  .tuple(
    fc.constantFrom(...BASES6, PREFIX + 2n ** 64n - 20n, 2n ** 128n - 40n),
    fc.bigInt(0n, 30n),
    fc.bigInt(0n, 8n),
  )
  .map(([base, offset, length]) => ({ first: base + offset, last: base + offset + length }));
const addresses = fc
  .tuple(fc.array(v4, { maxLength: 6 }), fc.array(v6, { maxLength: 6 }))
  .map(([v4, v6]) => addressSetOf(v4, v6))
  .filter(({ v4, v6 }) => v4.length + v6.length > 0);

type Named = { readonly family: 4 | 6; readonly value: bigint };

function listed({ v4, v6 }: ReturnType<typeof addressSetOf>): Named[] {
  const all: Named[] = [];
  for (const { first, last } of ipv4RangesOf(v4))
    for (let n = first; n <= last; n++) all.push({ family: 4, value: BigInt(n) });
  for (const { first, last } of ipv6RangesOf(v6))
    for (let n = first; n <= last; n++) all.push({ family: 6, value: n });
  return all;
}

const wordsOf = ({ family, value }: Named) =>
  family === 4 ? wordsOfIpv4(Number(value)) : wordsOfIpv6(value);

function numberOf(space: ProbeSpace, address: Named): number {
  return numberOfAddress(space, address.family, wordsOf(address));
}

test("numbers every address in order, and back", () => {
  fc.assert(
    fc.property(addresses, (addresses) => {
      const space = buildSpace(stretchesOf(addresses), questions(3));
      const all = listed(addresses);
      expect([space.addressCount, space.size]).toEqual([all.length, all.length * 3]);
      all.forEach((address, number) => {
        expect(numberOf(space, address)).toBe(number);
        expect(familyOfNumber(space, number)).toBe(address.family);
        expect(wordsOfNumber(space, number)).toEqual(wordsOf(address));
      });
    }),
    { numRuns: 60 },
  );
});

test("the neighbours of each range are outside, unless they are in another", () => {
  fc.assert(
    fc.property(addresses, (addresses) => {
      const space = buildSpace(stretchesOf(addresses), ONE);
      const all = listed(addresses);
      const keys = new Map(all.map(({ family, value }, number) => [`${family} ${value}`, number]));
      for (const { family, value } of all) {
        const end = family === 4 ? BigInt(IPV4_SPACE) : 2n ** 128n;
        for (const near of [
          value - 1n,
          value + 1n,
          value + 2n ** 31n,
          value + 2n ** 32n,
          value + 2n ** 64n,
        ]) {
          if (near < 0n || near >= end) continue;
          expect(numberOf(space, { family, value: near })).toBe(keys.get(`${family} ${near}`) ?? -1);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("an address of a family that is not scanned has no number", () => {
  const only4 = spaceOf([{ first: 1, last: 5 }], []);
  expect(numberOfIpv6(only4, 0, 0, 0, 1)).toBe(-1);
  const only6 = spaceOf([], [from6(1n, 5)]);
  expect(numberOfIpv4(only6, 1)).toBe(-1);
  expect(numberOfIpv6(only6, 0, 0, 0, 5)).toBe(4);
});

test("every number is in the stretch that holds it", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 20 }), (counts) => {
      const ranges = counts.map((count, i) => ({ first: i * 10, last: i * 10 + count - 1 }));
      const { offsets, addressCount } = spaceOf(ranges, []);
      const expected = counts.flatMap((count, i) => Array.from({ length: count }, () => i));
      expect(Array.from({ length: addressCount }, (_, n) => stretchOfNumber(offsets, n))).toEqual(expected);
    }),
  );
});

test("two addresses have one network key exactly where they share a /24, or a /64", () => {
  const first = FIRST_OF_24S - 3;
  const space = spaceOf(
    [{ first, last: first + 599 }],
    [from6(PREFIX, 2 ** 33), from6(PREFIX + 2n ** 64n, 4)],
  );
  for (let n = 1; n < 600; n++) {
    const isSame = networkKeyOfNumber(space, n) === networkKeyOfNumber(space, n - 1);
    expect(isSame).toBe((first + n) % 256 !== 0);
  }
  const key = networkKeyOfNumber(space, 600);
  expect(networkKeyOfNumber(space, 600 + 2 ** 33 - 1)).toBe(key);
  expect(networkKeyOfNumber(space, 600 + 2 ** 33)).not.toBe(key);
});

/** 255.255.0.0: its words are negative. */
const FIRST_OF_24S = 0xffff_0000;

describe("limits", () => {
  test("no address or no port is nothing to scan", () => {
    expect(() => spaceOf([], [])).toThrow(expect.objectContaining({ code: "NOTHING_TO_SCAN" }));
    const none = portQuestions([], [], () => [0]);
    expect(() => spaceOf([{ first: 1, last: 1 }], [], none)).toThrow(
      expect.objectContaining({ code: "NOTHING_TO_SCAN" }),
    );
  });

  test("all of IPv4 with 65,536 ports just fits, and its last address is found again", () => {
    const all = spaceOf([{ first: 0, last: IPV4_SPACE - 1 }], [], questions(65_536));
    expect(all.size).toBe(2 ** 48);
    expect(numberOfIpv4(all, -1)).toBe(IPV4_SPACE - 1);
    expect(wordsOfNumber(all, IPV4_SPACE - 1)).toEqual([0, 0, 0, -1]);
  });

  test("a stretch of IPv6 beyond 2³² addresses crosses its words", () => {
    const from = PREFIX + 2n ** 63n - 5n;
    const space = spaceOf([], [from6(from, 2 ** 40)]);
    for (const n of [0, 4, 5, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 40 - 1]) {
      expect(ipv6OfWords(wordsOfNumber(space, n))).toBe(from + BigInt(n));
      expect(numberOfAddress(space, 6, wordsOfIpv6(from + BigInt(n)))).toBe(n);
    }
    expect(numberOfAddress(space, 6, wordsOfIpv6(from - 1n))).toBe(-1);
    expect(numberOfAddress(space, 6, wordsOfIpv6(from + 2n ** 40n))).toBe(-1);
    expect(numberOfAddress(space, 6, wordsOfIpv6(PREFIX + 2n ** 64n - 1n))).toBe(-1);
  });

  test("more is refused, a whole /64 included", () => {
    for (const count of [2 ** 48 + 1, 2 ** 64]) {
      expect(() => spaceOf([], [from6(PREFIX, count)])).toThrow(
        expect.objectContaining({ code: "SCOPE_TOO_LARGE" }),
      );
    }
  });
});
