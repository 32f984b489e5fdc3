/**
 * A keyed permutation of [0, size): the order in which probes go out. Every index comes once, in an order that looks
 * random, from a few integers of state; a shard takes every n-th position, and resuming needs one position and the seed.
 *
 * A generalised Feistel network (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002) over a × b with
 * a·b ≥ size kept tight, and cycle walking for the few values beyond. Halves fit 32-bit integers; the whole index does
 * not, so it is only ever built and split in float64, which is exact below 2⁵³.
 */

/** Positions beyond this are refused by the plan; both halves stay below 2²⁵. */
export const MAX_PERMUTATION_SIZE = 2 ** 48;

export interface Permutation {
  readonly size: number;
  /** Bounds of the two halves. */
  readonly a: number;
  readonly b: number;
  readonly key0: number;
  readonly key1: number;
}

/**
 * @param size whole number from 1 to 2⁴⁸
 * @param seed any finite number below 2⁵³; the same seed gives the same order
 */
export function newPermutation(size: number, seed: number): Permutation {
  const a = Math.ceil(Math.sqrt(size));
  const b = Math.ceil(size / a);
  return {
    size,
    a,
    b,
    key0: mix((seed % 2 ** 32) | 0, 0x9e3779b9),
    key1: mix(Math.floor(seed / 2 ** 32) | 0, 0x85ebca6b),
  };
}

/** The finaliser of MurmurHash3 (A. Appleby, public domain): every input bit reaches every output bit. */
function mix(value: number, key: number): number {
  let h = value ^ key;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** A keyed number in [0, bound), by multiplication: a modulo of more than 31 bits would be a slow float division. */
function roundValue(half: number, key: number, bound: number): number {
  return ((mix(half, key) >>> 0) * (bound / 2 ** 32)) | 0;
}

/** Sets the later rounds' keys apart from the first ones': the golden ratio's fraction, negated. */
const KEY_STEP = 0x61c88647;

/** The index at `position`. Both are whole numbers in [0, size). */
export function permute(
  position: number,
  size: number,
  a: number,
  b: number,
  key0: number,
  key1: number,
): number {
  let index = position;
  do {
    // Both halves fit 32 bits: said with `| 0`, so that the rounds run on integers.
    let right = (index / a) | 0;
    let left = (index - right * a) | 0;
    // Four rounds; each adds a keyed function of one half to the other, within the other's own bound. The sum is
    // brought back into it without a branch, which would be guessed wrong every second time.
    left += roundValue(right, key0, a) - a;
    left += a & (left >> 31);
    right += roundValue(left, key1, b) - b;
    right += b & (right >> 31);
    left += roundValue(right, (key0 + KEY_STEP) | 0, a) - a;
    left += a & (left >> 31);
    right += roundValue(left, (key1 + KEY_STEP) | 0, b) - b;
    right += b & (right >> 31);
    index = right * a + left;
  } while (index >= size);
  return index;
}
