/**
 * Arithmetic on addresses that lie in an array as words of 32 bits, the most significant first: one word for IPv4, four
 * for IPv6. Each is named by its array and its place there. Nothing here allocates.
 */

/** Words of an address: 1 for IPv4, 4 for IPv6. */
export type AddressWidth = 1 | 4;

const LARGEST_WORD = 0xffff_ffff;

/** Below, at or above 0 as the address at a[i] comes before, is, or comes after that at b[j]. */
export function compareWords(a: Uint32Array, i: number, b: Uint32Array, j: number, width: number): number {
  for (let word = 0; word < width; word++) {
    const difference = (a[i + word] ?? 0) - (b[j + word] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether the address at b[j] is the next after that at a[i]. */
export function isNextWords(a: Uint32Array, i: number, b: Uint32Array, j: number, width: number): boolean {
  let carry = 1;
  for (let word = width - 1; word >= 0; word--) {
    const sum = (a[i + word] ?? 0) + carry;
    carry = sum > LARGEST_WORD ? 1 : 0;
    if (sum >>> 0 !== b[j + word]) return false;
  }
  return carry === 0;
}

export function copyWords(from: Uint32Array, i: number, to: Uint32Array, j: number, width: number): void {
  for (let word = 0; word < width; word++) to[j + word] = from[i + word] ?? 0;
}

/** Writes the address after the one at from[i]; after the last of all comes 0. */
export function copyNextWords(from: Uint32Array, i: number, to: Uint32Array, j: number, width: number): void {
  let carry = 1;
  for (let word = width - 1; word >= 0; word--) {
    const sum = (from[i + word] ?? 0) + carry;
    carry = sum > LARGEST_WORD ? 1 : 0;
    to[j + word] = sum;
  }
}

/** Writes the address before the one at from[i]; before 0 comes the last of all. */
export function copyPreviousWords(
  from: Uint32Array,
  i: number,
  to: Uint32Array,
  j: number,
  width: number,
): void {
  let borrow = 1;
  for (let word = width - 1; word >= 0; word--) {
    const difference = (from[i + word] ?? 0) - borrow;
    borrow = difference < 0 ? 1 : 0;
    to[j + word] = difference;
  }
}

/**
 * How far the address at b[j] lies after that at a[i], which comes no later. Exact up to 2⁵³, and near beyond: all that
 * is summed up before a word is a multiple of what that word counts.
 */
export function distanceWords(a: Uint32Array, i: number, b: Uint32Array, j: number, width: number): number {
  let distance = 0;
  for (let word = 0; word < width; word++) {
    distance = distance * 2 ** 32 + ((b[j + word] ?? 0) - (a[i + word] ?? 0));
  }
  return distance;
}

/** The IPv6 address at words[at]. */
export function bigintOfWords(words: ArrayLike<number>, at: number): bigint {
  let value = 0n;
  for (let word = 0; word < 4; word++) value = (value << 32n) | BigInt((words[at + word] ?? 0) >>> 0);
  return value;
}

/** Writes an IPv6 address. */
export function setBigint(words: Uint32Array, at: number, value: bigint): void {
  for (let word = 0; word < 4; word++)
    words[at + word] = Number((value >> BigInt(96 - 32 * word)) & 0xffff_ffffn);
}
