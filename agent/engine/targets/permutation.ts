/**
 * A keyed permutation of [0, size): the order in which probes go out. Every index comes once, in an order that looks
 * random, from a few integers of state; a shard takes every n-th position, and resuming needs one position and the seed.
 *
 * A generalised Feistel network (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002) over a × b with
 * a·b ≥ size kept tight, and cycle walking for the few values beyond. `a` is a power of two, so that its half wraps with a
 * mask, and `b` stays small, so that its half needs one 32-bit multiplication. Only the whole index passes 32 bits: it is
 * built and split in float64, which is exact below 2⁵³.
 */

/** Positions beyond this are refused by the plan. */
export const MAX_PERMUTATION_SIZE = 2 ** 48;

export interface Permutation {
  readonly size: number;
  /** Bounds of the two halves: a power of two up to 2³¹, and what it takes to cover the size, up to 2¹⁷. */
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
  const bits = Math.floor(Math.log2(size));
  // Halves of equal length mix best; where they would be long, the multiplied one keeps to 16 bits.
  const a = 2 ** Math.min(31, Math.max(bits >> 1, bits - 15));
  return {
    size,
    a,
    b: Math.ceil(size / a),
    key0: mixSeed((seed % 2 ** 32) | 0, 0x9e3779b9),
    key1: mixSeed(Math.floor(seed / 2 ** 32) | 0, 0x85ebca6b),
  };
}

/** The finaliser of MurmurHash3 (A. Appleby, public domain): every input bit reaches every output bit. */
function mixSeed(value: number, key: number): number {
  let h = value ^ key;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

// Round functions: one odd multiplier each. Its product is good in the high bits, so these are folded into the low ones
// that a mask keeps, and the low ones into the high ones that decide a multiple of `b`.
const LOW_MULTIPLIER = 0x85ebca6b;
const HIGH_MULTIPLIER = 0xc2b2ae35;
/** Sets the later rounds' keys apart from the first ones': the golden ratio's fraction, negated. */
const KEY_STEP = 0x61c88647;

/**
 * The index at `position`. Both are whole numbers in [0, size).
 * Four rounds; each adds a keyed function of one half to the other, within the other's own bound. They are written out:
 * whatever the compiler does not inline here costs more than the arithmetic.
 */
export function permute(
  position: number,
  size: number,
  a: number,
  b: number,
  key0: number,
  key1: number,
): number {
  const mask = (a - 1) | 0;
  // Exact, and a product stays float64 where the compiler would try a quotient as an integer first.
  const share = 1 / a;
  const lastHigh = (size * share) | 0;
  const rest = (size - lastHigh * a) | 0;
  let high = (position * share) | 0;
  let low = (position - high * a) | 0;
  do {
    let h = Math.imul(high ^ key0, LOW_MULTIPLIER);
    low = (low + (h ^ (h >>> 15))) & mask;
    h = Math.imul(low ^ key1, HIGH_MULTIPLIER);
    high = (high + (Math.imul((h ^ (h << 13)) >>> 16, b) >>> 16) - b) | 0;
    // Back into the bound without a branch, which would be guessed wrong every second time.
    high = (high + (b & (high >> 31))) | 0;
    h = Math.imul(high ^ ((key0 + KEY_STEP) | 0), LOW_MULTIPLIER);
    low = (low + (h ^ (h >>> 15))) & mask;
    h = Math.imul(low ^ ((key1 + KEY_STEP) | 0), HIGH_MULTIPLIER);
    high = (high + (Math.imul((h ^ (h << 13)) >>> 16, b) >>> 16) - b) | 0;
    high = (high + (b & (high >> 31))) | 0;
  } while (high >= lastHigh && (high > lastHigh || low >= rest));
  return high * a + low;
}

/** The position of `index`: the same rounds backwards. */
export function unpermute(
  index: number,
  size: number,
  a: number,
  b: number,
  key0: number,
  key1: number,
): number {
  const mask = (a - 1) | 0;
  const share = 1 / a;
  const lastHigh = (size * share) | 0;
  const rest = (size - lastHigh * a) | 0;
  let high = (index * share) | 0;
  let low = (index - high * a) | 0;
  do {
    let h = Math.imul(low ^ ((key1 + KEY_STEP) | 0), HIGH_MULTIPLIER);
    high = (high - (Math.imul((h ^ (h << 13)) >>> 16, b) >>> 16)) | 0;
    high = (high + (b & (high >> 31))) | 0;
    h = Math.imul(high ^ ((key0 + KEY_STEP) | 0), LOW_MULTIPLIER);
    low = (low - (h ^ (h >>> 15))) & mask;
    h = Math.imul(low ^ key1, HIGH_MULTIPLIER);
    high = (high - (Math.imul((h ^ (h << 13)) >>> 16, b) >>> 16)) | 0;
    high = (high + (b & (high >> 31))) | 0;
    h = Math.imul(high ^ key0, LOW_MULTIPLIER);
    low = (low - (h ^ (h >>> 15))) & mask;
  } while (high > lastHigh || (high === lastHigh && low >= rest));
  return high * a + low;
}
