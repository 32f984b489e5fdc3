/**
 * Addresses and networks of callers, IPv4 and IPv6: for bindings and for trusted proxies.
 * An IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`, as dual-stack sockets report) is the IPv4 address.
 */

import { formatIpv4, parseIpv4 } from "#shared/net/ipv4.ts";

export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface Network {
  readonly base: Address;
  readonly prefixLength: number;
}

const BITS = { 4: 32, 6: 128 } as const;
const MAPPED_PREFIX = 0xffffn;

/** The address, or undefined where the text is none. A zone (`%eth0`) is left out. */
export function parseAddress(text: string): Address | undefined {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) return { family: 4, value: BigInt(ipv4) };
  const value = parseIpv6(text.split("%", 1)[0] ?? "");
  if (value === undefined) return undefined;
  if (value >> 32n === MAPPED_PREFIX) return { family: 4, value: value & 0xffff_ffffn };
  return { family: 6, value };
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = parseGroups(halves[1] ?? "", true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** 16-bit groups of one side of `::`; the last of all may be written as an IPv4 address. */
function parseGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const ipv4 = isEnd && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) groups.push(ipv4 >>> 16, ipv4 & 0xffff);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** Canonical text; for IPv6 as RFC 5952 has it. */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return formatIpv4(Number(value));
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  const text = groups.map((group) => group.toString(16));
  const zeros = longestZeroRun(groups);
  if (zeros.length < 2) return text.join(":");
  return `${text.slice(0, zeros.start).join(":")}::${text.slice(zeros.start + zeros.length).join(":")}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}

/** `192.0.2.0/24`; an address alone is a network of one. Undefined where the text is neither. */
export function parseNetwork(text: string): Network | undefined {
  const [address = "", prefix, ...rest] = text.split("/");
  const base = parseAddress(address);
  if (base === undefined || rest.length > 0) return undefined;
  if (prefix === undefined) return { base, prefixLength: BITS[base.family] };
  const prefixLength = Number(prefix);
  if (!/^\d{1,3}$/.test(prefix) || prefixLength > BITS[base.family]) return undefined;
  return networkOf(base, prefixLength);
}

/** The network of this prefix length that the address is in. */
export function networkOf(address: Address, prefixLength: number): Network {
  const hostBits = BigInt(BITS[address.family] - prefixLength);
  return {
    base: { family: address.family, value: (address.value >> hostBits) << hostBits },
    prefixLength,
  };
}

export function networkContains({ base, prefixLength }: Network, address: Address): boolean {
  if (base.family !== address.family) return false;
  return networkOf(address, prefixLength).base.value === base.value;
}

export function formatNetwork({ base, prefixLength }: Network): string {
  return `${formatAddress(base)}/${prefixLength}`;
}
