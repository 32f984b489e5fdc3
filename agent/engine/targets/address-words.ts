/**
 * Addresses inside the engine: four 32-bit words, most significant first, so that the hot path meets integers only.
 * An IPv4 address fills the last word; the first three are 0. The family is always told beside.
 */

import { formatIpv4 } from "#shared/net/ipv4.ts";
import { formatIpv6 } from "#shared/net/ipv6.ts";

export type AddressFamily = 4 | 6;

export type AddressWords = readonly [number, number, number, number];

export function wordsOfIpv4(address: number): AddressWords {
  return [0, 0, 0, address | 0];
}

export function wordsOfIpv6(address: bigint): AddressWords {
  const word = (shift: bigint): number => Number((address >> shift) & 0xffff_ffffn) | 0;
  return [word(96n), word(64n), word(32n), word(0n)];
}

/** The address whose four words begin at words[at]. */
export function wordsAt(words: ArrayLike<number>, at: number): AddressWords {
  return [(words[at] ?? 0) | 0, (words[at + 1] ?? 0) | 0, (words[at + 2] ?? 0) | 0, (words[at + 3] ?? 0) | 0];
}

export function ipv6OfWords([w0, w1, w2, w3]: AddressWords): bigint {
  const high = (BigInt(w0 >>> 0) << 32n) | BigInt(w1 >>> 0);
  return (high << 64n) | (BigInt(w2 >>> 0) << 32n) | BigInt(w3 >>> 0);
}

/** The address `offset` places after `first`, in the same /64 where it is an IPv6 one. */
export function addressAfter([w0, w1, w2, w3]: AddressWords, offset: number): AddressWords {
  const low = (w3 >>> 0) + offset;
  return [w0, w1, (w2 + Math.floor(low / 2 ** 32)) | 0, low | 0];
}

export function formatWords(family: AddressFamily, words: AddressWords): string {
  return family === 4 ? formatIpv4(words[3] >>> 0) : formatIpv6(ipv6OfWords(words));
}
