/** The stretches of a set: where they are cut, how they lie in memory, and that they are the set again. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { addressSetOf, countAddresses } from "#shared/net/address-set.ts";
import { IPV4_SPACE } from "#shared/net/ipv4.ts";
import { ipv6OfWords } from "./address-words.ts";
import { stretchAt, type Stretches, stretchesOf } from "./stretches.ts";

const v4 = fc
  .tuple(fc.nat(IPV4_SPACE - 1), fc.nat(1_000))
  .map(([first, length]) => ({ first, last: Math.min(IPV4_SPACE - 1, first + length) }));
/** About the end of a /64, which the longer ones pass. */
const v6 = fc
  .tuple(fc.bigInt(0n, 3n), fc.bigInt(-5n, 5n), fc.constantFrom(0n, 3n, 1n << 40n))
  .map(([subnet, offset, length]) => ({ base: ((0xfd00n << 48n) + subnet) << 64n, offset, length }))
  .map(({ base, offset, length }) => ({ first: base + offset, last: base + offset + length }));

function listed(stretches: Stretches): ReturnType<typeof stretchAt>[] {
  return Array.from({ length: stretches.offsets.length - 1 }, (_, i) => stretchAt(stretches, i));
}

test("they are the set again, and none of IPv6 leaves its /64", () => {
  fc.assert(
    fc.property(fc.array(v4, { maxLength: 8 }), fc.array(v6, { maxLength: 5 }), (v4, v6) => {
      const set = addressSetOf(v4, v6);
      const stretches = stretchesOf(set);
      const all = listed(stretches).map(({ family, first, count }) => {
        const from = ipv6OfWords(first);
        return { family, first: from, last: from + BigInt(count) - 1n };
      });
      const six = all.filter(({ family }) => family === 6);
      const four = all
        .filter(({ family }) => family === 4)
        .map(({ first, last }) => ({ first: Number(first), last: Number(last) }));
      expect(all.slice(four.length)).toEqual(six);
      expect(addressSetOf(four, six)).toEqual(set);
      expect(six.every(({ first, last }) => first >> 64n === last >> 64n)).toBe(true);
      expect(stretches.offsets.at(-1)).toBe(countAddresses(set));
    }),
  );
});

describe("stretches", () => {
  test("are cut where a /64 ends", () => {
    const end = (0x2001_0db8n << 96n) + (1n << 64n);
    const stretches = listed(stretchesOf(addressSetOf([], [{ first: end - 2n, last: end }])));
    expect(stretches.map(({ first, count }) => ({ first: first.map((word) => word >>> 0), count }))).toEqual([
      { first: [0x2001_0db8, 0, 0xffff_ffff, 0xffff_fffe], count: 2 },
      { first: [0x2001_0db8, 1, 0, 0], count: 1 },
    ]);
  });

  test("are whole /64s in between", () => {
    const subnet = 0xfd00n << 48n;
    const range = { first: (subnet << 64n) + 7n, last: ((subnet + 2n) << 64n) + 5n };
    const stretches = listed(stretchesOf(addressSetOf([], [range])));
    expect(stretches.map(({ first }) => ipv6OfWords(first))).toEqual([
      range.first,
      (subnet + 1n) << 64n,
      (subnet + 2n) << 64n,
    ]);
    expect(stretches[1]?.count).toBe(2 ** 64);
  });

  test("end with the last address of all", () => {
    const last = 2n ** 128n - 1n;
    expect(listed(stretchesOf(addressSetOf([], [{ first: last - 1n, last }])))).toEqual([
      { family: 6, first: [-1, -1, -1, -2], count: 2 },
    ]);
  });

  test("take twelve bytes of shared memory each, of IPv4", () => {
    const ranges = Array.from({ length: 1_000 }, (_, i) => ({ first: i * 2, last: i * 2 }));
    const { v4Firsts, v6Firsts, offsets } = stretchesOf(addressSetOf(ranges, []));
    expect([v4Firsts.byteLength, v6Firsts.byteLength, offsets.byteLength]).toEqual([4_000, 0, 8_008]);
    for (const { buffer } of [v4Firsts, offsets]) expect(buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});
