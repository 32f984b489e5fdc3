/** The Internet checksum against RFC 1071's own example and a plain one's-complement sum. */

import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { addWords, finishChecksum } from "./checksum.ts";

/** Adds word by word and brings each carry round at once, as the RFC describes it. */
function onesComplementSum(words: readonly number[]): number {
  let sum = 0;
  for (const word of words) {
    sum += word;
    if (sum > 0xffff) sum = (sum & 0xffff) + 1;
  }
  return sum;
}

function wordsOf(bytes: Uint8Array): number[] {
  const words: number[] = [];
  for (let i = 0; i < bytes.length; i += 2) words.push((bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0));
  return words;
}

test("the example of RFC 1071 §3", () => {
  const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  expect(finishChecksum(addWords(0, bytes, 0, bytes.length))).toBe(0xffff - 0xddf2);
});

test("equals the plain sum, for even and odd lengths", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_500 }), (bytes) => {
      const plain = 0xffff - onesComplementSum(wordsOf(bytes));
      expect(finishChecksum(addWords(0, bytes, 0, bytes.length))).toBe(plain);
    }),
  );
});

test("sums only the part asked for, also in a view that does not begin its buffer", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 64 }), fc.nat(7), (bytes, shift) => {
      const view = bytes.subarray(shift);
      expect(addWords(5, view, 1, view.length)).toBe(addWords(5, view.slice(1), 0, view.length - 1));
    }),
  );
});

test("folds every sum up to 2³¹", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (sum) => {
      const plain = 0xffff - onesComplementSum([sum >>> 16, sum & 0xffff]);
      expect(finishChecksum(sum)).toBe(plain);
    }),
    { examples: [[0], [0xffff], [0x1_0000], [0xffff_0000 >>> 1], [2 ** 31 - 1], [2 ** 31]] },
  );
});
