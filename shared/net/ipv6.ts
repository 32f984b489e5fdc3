/**
 * IPv6 addresses as 128-bit numbers: ::1 is 1n.
 * Reads the text forms of RFC 4291 section 2.2, an embedded IPv4 address included; a zone (`%eth0`) is no part of an
 * address here. Writes the one form of RFC 5952.
 */

import { formatIpv4, parseIpv4 } from "./ipv4.ts";

export const IPV6_SPACE = 1n << 128n;

const MAX_TEXT_LENGTH = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length;
const GROUP = /^[0-9a-f]{1,4}$/i;
const GROUPS = 8;

/** Where IPv4 addresses are embedded, ::ffff:0:0/96: what is left of them above the lower 32 bits. */
const MAPPED_PREFIX = 0xffffn;

/** The address as a number, or undefined where the text is no IPv6 address. */
export function parseIpv6(text: string): bigint | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined;
  const [before = "", after, ...rest] = text.split("::");
  if (rest.length > 0) return undefined;
  const head = parseGroups(before, after === undefined);
  const tail = parseGroups(after ?? "", true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = GROUPS - head.length - tail.length;
  if (after === undefined ? missing !== 0 : missing < 1) return undefined;
  let value = 0n;
  for (const group of head) value = (value << 16n) | BigInt(group);
  value <<= BigInt(16 * missing);
  for (const group of tail) value = (value << 16n) | BigInt(group);
  return value;
}

/** 16-bit groups of one side of `::`. The last group of an address may stand as an IPv4 address, which is two. */
function parseGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const ipv4 = isEnd && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) groups.push(ipv4 >>> 16, ipv4 & 0xffff);
    else if (GROUP.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
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
