/**
 * Which positions were answered: so that each answer counts once, and a second pass asks only again what was silent.
 *
 * A bit a position, in shared memory of bounded size. A scan that has more positions goes window by window, each with all
 * its passes; the bits of the window before are kept meanwhile, because its last answers are still to come.
 * Positions are those of the shard: consecutive, in the order in which they are sent.
 */

/** 32 MiB of bits in all. */
const MAX_BITS = 2 ** 28;

export interface AnsweredSet {
  readonly words: Int32Array;
  /** Positions of one window. */
  readonly windowSize: number;
  readonly windows: number;
}

/**
 * @param maxBits a power of two from 64 on, so that each window has whole words
 * @returns a set in shared memory, to be handed to other threads as it is
 */
export function newAnsweredSet(positions: number, maxBits = MAX_BITS): AnsweredSet {
  const isOne = positions <= maxBits;
  const windowSize = isOne ? positions : maxBits / 2;
  return {
    words: new Int32Array(new SharedArrayBuffer(Math.ceil(Math.min(positions, maxBits) / 32) * 4)),
    windowSize,
    windows: isOne ? 1 : Math.ceil(positions / windowSize),
  };
}

/** The bit at which a window begins. Two windows share the set, in turns. */
export function windowBit({ windowSize }: AnsweredSet, window: number): number {
  return (window & 1) * windowSize;
}

export function windowOfPosition({ windowSize }: AnsweredSet, position: number): number {
  return Math.floor(position / windowSize);
}

/** Forgets what the window two before this one held. Nobody marks it any more. */
export function clearWindow(set: AnsweredSet, window: number): void {
  const from = windowBit(set, window) >>> 5;
  set.words.fill(0, from, from + (set.windowSize >>> 5));
}

/** Marks a bit. True the first time. Only one thread may mark. */
export function markAnswered(words: Int32Array, bitNumber: number): boolean {
  const word = words[bitNumber >>> 5] ?? 0;
  const bit = 1 << (bitNumber & 31);
  words[bitNumber >>> 5] = word | bit;
  return (word & bit) === 0;
}

export function isAnswered(words: Int32Array, bitNumber: number): boolean {
  return (((words[bitNumber >>> 5] ?? 0) >>> (bitNumber & 31)) & 1) === 1;
}
