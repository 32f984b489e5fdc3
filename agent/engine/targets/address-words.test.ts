/** Addresses as four words, and back. */

import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { addressAfter, formatWords, ipv6OfWords, wordsOfIpv4, wordsOfIpv6 } from "./address-words.ts";

test("every IPv6 address comes back from its words, which are 32-bit integers", () => {
  const address = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
    fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 64n - 1n, 2n ** 127n, 2n ** 128n - 1n),
  );
  fc.assert(
    fc.property(address, (address) => {
      const words = wordsOfIpv6(address);
      expect(words.every((word) => word === (word | 0))).toBe(true);
      expect(ipv6OfWords(words)).toBe(address);
    }),
  );
});

test("IPv4 fills the last word, and each is printed as its family is", () => {
  expect(wordsOfIpv4(0xff00_0001)).toEqual([0, 0, 0, 0xff00_0001 | 0]);
  expect(formatWords(4, wordsOfIpv4(0xff00_0001))).toBe("255.0.0.1");
  expect(formatWords(6, wordsOfIpv6((0xff02n << 112n) | 1n))).toBe("ff02::1");
  expect(formatWords(6, wordsOfIpv4(1))).toBe("::1");
});

test("the address after another carries from the last word into the one before", () => {
  const first = 0x2001_0db8_0000_0000_0000_0000_ffff_fff0n;
  expect(addressAfter(wordsOfIpv6(first), 0x20)).toEqual(wordsOfIpv6(first + 0x20n));
  expect(addressAfter(wordsOfIpv4(0xc0a8_00ff), 1)).toEqual(wordsOfIpv4(0xc0a8_0100));
});
