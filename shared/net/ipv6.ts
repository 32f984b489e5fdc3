/**
 * IPv6 addresses as 128-bit numbers: ::1 is 1n.
 * Reads the text forms of RFC 4291 section 2.2, an embedded IPv4 address included; a zone (`%eth0`) is no part of an
 * address here. Writes the one form of RFC 5952.
 */

import { formatIpv4, readIpv4 } from "./ipv4.ts";

export const IPV6_SPACE = 1n << 128n;

const GROUPS = 8;
const MAX_GROUP_DIGITS = 4;
const COLON = 0x3a;
const DOT = 0x2e;

/** Where IPv4 addresses are embedded, ::ffff:0:0/96: what is left of them above the lower 32 bits. */
const MAPPED_PREFIX = 0xffffn;

/** The address as a number, or undefined where the text is no IPv6 address. */
export function parseIpv6(text: string): bigint | undefined {
  const groups = new Uint16Array(GROUPS);
  if (!readIpv6(text, 0, text.length, groups)) return undefined;
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/**
 * Reads the address that stands in `text` from `from` to before `to`. Allocates nothing.
 * @param groups takes its eight groups of 16 bits, the most significant first
 * @returns false where that is no address; `groups` then holds anything
 */
export function readIpv6(text: string, from: number, to: number, groups: Uint16Array): boolean {
  let count = 0;
  /** Groups before `::`, or -1 while there is none. */
  let before = -1;
  let at = from;
  if (text.charCodeAt(at) === COLON) {
    if (text.charCodeAt(at + 1) !== COLON || to - from < 2) return false;
    before = 0;
    at += 2;
  }
  while (at < to) {
    const start = at;
    let group = 0;
    for (let digit = hexDigit(text, at, to); digit >= 0; digit = hexDigit(text, ++at, to)) {
      if (at - start === MAX_GROUP_DIGITS) return false;
      group = group * 16 + digit;
    }
    if (at < to && text.charCodeAt(at) === DOT) {
      // The last two groups may stand as an IPv4 address.
      const ipv4 = readIpv4(text, start, to);
      if (ipv4 < 0 || count > GROUPS - 2) return false;
      groups[count++] = ipv4 >>> 16;
      groups[count++] = ipv4;
      break;
    }
    if (at === start || count === GROUPS) return false;
    groups[count++] = group;
    if (at === to) break;
    if (text.charCodeAt(at++) !== COLON || at === to) return false;
    if (text.charCodeAt(at) === COLON) {
      if (before >= 0) return false;
      before = count;
      at++;
    }
  }
  if (before < 0) return count === GROUPS;
  // `::` stands for at least one group.
  if (count === GROUPS) return false;
  groups.copyWithin(before + GROUPS - count, before, count);
  groups.fill(0, before, before + GROUPS - count);
  return true;
}

/** Value of the hexadecimal digit at `at`; -1 where there is none before `to`. */
function hexDigit(text: string, at: number, to: number): number {
  if (at >= to) return -1;
  const code = text.charCodeAt(at);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  // Letters differ from small ones in one bit.
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 && code < 0x80 ? letter - 0x57 : -1;
}

/** Lower case, no leading zeros, the first longest run of at least two zero groups as `::`, and IPv4-mapped ones dotted. */
export function formatIpv6(address: bigint): string {
  if (address >> 32n === MAPPED_PREFIX) return `::ffff:${formatIpv4(Number(address & 0xffff_ffffn))}`;
  const groups = Array.from({ length: GROUPS }, (_, i) =>
    Number((address >> BigInt(112 - 16 * i)) & 0xffffn),
  );
  const text = groups.map((group) => group.toString(16));
  const zeros = longestZeroRun(groups);
  if (zeros.length < 2) return text.join(":");
  return `${text.slice(0, zeros.start).join(":")}::${text.slice(zeros.start + zeros.length).join(":")}`;
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}
