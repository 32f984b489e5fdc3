/**
 * Collects ranges of addresses of one family in any order, and makes a set of them. Its memory is one array that grows, and
 * what it no longer needs is given back at once: waiting for the garbage collector would double what a long list takes.
 */

import type { AddressRanges } from "./address-ranges.ts";
import { type AddressWidth, compareWords, copyWords, isNextWords, setBigint } from "./address-words.ts";
import { sortRanges } from "./range-sort.ts";

const FIRST_CAPACITY = 16;

export class RangeCollector {
  private readonly width: AddressWidth;
  private words: Uint32Array<ArrayBuffer>;
  /** Words in use. */
  private used = 0;
  /** No range begins before the one that was added before it, and none meets it. */
  private isNormal = true;

  constructor(width: AddressWidth) {
    this.width = width;
    this.words = new Uint32Array(FIRST_CAPACITY * 2 * width);
  }

  addIpv4(first: number, last: number): void {
    const at = this.reserve();
    this.words[at] = first;
    this.words[at + 1] = last;
    this.settle(at);
  }

  addIpv6(first: bigint, last: bigint): void {
    const at = this.reserve();
    setBigint(this.words, at, first);
    setBigint(this.words, at + 4, last);
    this.settle(at);
  }

  /** Adds the addresses from the one at first[i] to the one at last[j]. */
  addWords(first: Uint32Array, i: number, last: Uint32Array, j: number): void {
    const { width } = this;
    const at = this.reserve();
    copyWords(first, i, this.words, at, width);
    copyWords(last, j, this.words, at + width, width);
    this.settle(at);
  }

  addAll({ words, width }: AddressRanges): void {
    for (let at = 0; at < words.length; at += 2 * width) this.addWords(words, at, words, at + width);
  }

  /** What was added, sorted and disjoint. The collector is empty again. */
  take(): AddressRanges {
    const { width } = this;
    if (!this.isNormal) {
      this.words = sortRanges(resized(this.words, this.used), width);
      this.used = mergeSorted(this.words, width);
    }
    const words = resized(this.words, this.used);
    this.words = new Uint32Array(FIRST_CAPACITY * 2 * width);
    this.used = 0;
    this.isNormal = true;
    return { width, length: words.length / (2 * width), words };
  }

  /** Makes room for one more range. Returns its place. */
  private reserve(): number {
    if (this.used === this.words.length) this.words = resized(this.words, this.words.length * 2);
    return this.used;
  }

  /** Takes in the range that was written at `at`, the first place free. */
  private settle(at: number): void {
    const { words, width } = this;
    const previous = at - 2 * width;
    if (!this.isNormal || previous < 0) {
      this.used += 2 * width;
    } else if (compareWords(words, at, words, previous, width) < 0) {
      this.isNormal = false;
      this.used += 2 * width;
    } else if (!joins(words, previous, at, width)) {
      this.used += 2 * width;
    }
  }
}

/** Lengthens the range at `before` by the one at `at`, which begins no earlier, where they overlap or touch. */
function joins(words: Uint32Array, before: number, at: number, width: number): boolean {
  const last = before + width;
  const meets =
    compareWords(words, at, words, last, width) <= 0 || isNextWords(words, last, words, at, width);
  if (meets && compareWords(words, at + width, words, last, width) > 0) {
    copyWords(words, at + width, words, last, width);
  }
  return meets;
}

/** Merges in place what overlaps or touches. Returns how many words are left. */
function mergeSorted(words: Uint32Array, width: number): number {
  let used = 2 * width;
  for (let at = used; at < words.length; at += 2 * width) {
    if (joins(words, used - 2 * width, at, width)) continue;
    copyWords(words, at, words, used, 2 * width);
    used += 2 * width;
  }
  return used;
}

/** The same words in an array of another length. The one given is spent. */
function resized(words: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  return words.length === length ? words : new Uint32Array(words.buffer.transfer(length * 4));
}
