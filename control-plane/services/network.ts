/**
 * Addresses and networks of callers, IPv4 and IPv6: for bindings and for trusted proxies.
 * An IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`, as dual-stack sockets report) is the IPv4 address.
 */

import { formatIpv4, parseIpv4 } from "#shared/net/ipv4.ts";
import { formatIpv6, parseIpv6 } from "#shared/net/ipv6.ts";

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

/** Canonical text; for IPv6 as RFC 5952 has it. */
export function formatAddress({ family, value }: Address): string {
  return family === 4 ? formatIpv4(Number(value)) : formatIpv6(value);
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
