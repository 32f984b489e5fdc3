/** Sorts ranges of addresses by where they begin: radix sort from the least significant digit (Knuth, TAOCP 3, 5.2.5). */

import { type AddressWidth, copyWords } from "./address-words.ts";

/** A byte: larger digits need fewer turns, and more time for lists of a few. */
const DIGIT_BITS = 8;
const DIGITS = 2 ** DIGIT_BITS;

/**
 * @param words of first and last address of each range, and nothing else; spent
 * @returns the ranges in order, in the same array or another
 */
export function sortRanges(words: Uint32Array<ArrayBuffer>, width: AddressWidth): Uint32Array<ArrayBuffer> {
  let from = words;
  let to = new Uint32Array(words.length);
  const starts = new Uint32Array(DIGITS);
  for (let word = width - 1; word >= 0; word--) {
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
      if (!findStarts(from, width, word, shift, starts)) continue;
      distribute(from, to, width, word, shift, starts);
      [from, to] = [to, from];
    }
  }
  // Given back now, not when it is found to be garbage.
  to.buffer.transfer(0);
  return from;
}

/** By digit: the place of the first range that has it. False where all have the same. */
function findStarts(
  words: Uint32Array,
  width: number,
  word: number,
  shift: number,
  starts: Uint32Array,
): boolean {
  starts.fill(0);
  for (let at = word; at < words.length; at += 2 * width) {
    const digit = ((words[at] ?? 0) >>> shift) & (DIGITS - 1);
    starts[digit] = (starts[digit] ?? 0) + 2 * width;
  }
  let place = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const count = starts[digit] ?? 0;
    if (count === words.length) return false;
    starts[digit] = place;
    place += count;
  }
  return true;
}

function distribute(
  from: Uint32Array,
  to: Uint32Array,
  width: number,
  word: number,
  shift: number,
  starts: Uint32Array,
): void {
  for (let at = 0; at < from.length; at += 2 * width) {
    const digit = ((from[at + word] ?? 0) >>> shift) & (DIGITS - 1);
    const place = starts[digit] ?? 0;
    copyWords(from, at, to, place, 2 * width);
    starts[digit] = place + 2 * width;
  }
}
