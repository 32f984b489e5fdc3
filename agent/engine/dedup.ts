/**
 * Which probes were answered: so that each answer counts once, and a second pass asks only again what was silent.
 *
 * A bit a probe while that fits the budget, exact and shared between threads. Beyond it a direct-mapped table of
 * recent answers, which may forget: an answer repeated much later is then reported twice, and every pass sends all.
 */

/** 64 MiB: half a billion probes. */
const MAX_BITMAP_PROBES = 2 ** 29;
const TABLE_SLOTS = 2 ** 20;

export interface AnsweredSet {
  /** True where every probe has its own bit. */
  readonly exact: boolean;
  readonly words: Int32Array;
}

/** @returns a set in shared memory, to be handed to other threads as it is */
export function newAnsweredSet(probes: number): AnsweredSet {
  const exact = probes <= MAX_BITMAP_PROBES;
  const bytes = exact ? Math.ceil(probes / 32) * 4 : TABLE_SLOTS * 8;
  return { exact, words: new Int32Array(new SharedArrayBuffer(bytes)) };
}

/** Marks a probe as answered. True the first time. Only one thread may mark. */
export function markAnswered(words: Int32Array, exact: boolean, index: number): boolean {
  if (exact) {
    const word = words[index >>> 5] ?? 0;
    const bit = 1 << (index & 31);
    words[index >>> 5] = word | bit;
    return (word & bit) === 0;
  }
  // The index is split, because it passes 32 bits; one is added so that an empty slot matches nothing.
  const high = Math.floor(index / 2 ** 32) + 1;
  const low = (index % 2 ** 32) | 0;
  const slot = (Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b) >>> 12) * 2;
  if (words[slot] === high && words[slot + 1] === low) return false;
  words[slot] = high;
  words[slot + 1] = low;
  return true;
}

/** Whether the probe is known to be answered. Never true by mistake; the inexact set knows of none. */
export function isAnswered(words: Int32Array, exact: boolean, index: number): boolean {
  return exact && (((words[index >>> 5] ?? 0) >>> (index & 31)) & 1) === 1;
}
