/**
 * Target specifications: what people write to name what is to be scanned, and what is never probed whatever they write.
 * Words are split by commas and white space, so no word has a comma inside. What one word may be: `target-token.ts`.
 */

import { UsageError } from "../errors.ts";
import {
  type AddressSet,
  addressSetOf,
  type BigRange,
  subtractAddresses,
  unionAddresses,
} from "./address-set.ts";
import { excerpt } from "./excerpt.ts";
import { isHostname } from "./hostname.ts";
import { formatIpv4, IPV4_SPACE } from "./ipv4.ts";
import { formatIpv6 } from "./ipv6.ts";
import type { NumberRange } from "./ranges.ts";
import { invalidTarget, parseAddressToken } from "./target-token.ts";

/** More addresses than this are no list of targets. It is what a scan can number, with one port each. */
const MAX_ENUMERABLE_BITS = 48n;

/** fe80::/10 (RFC 4291 section 2.5.6): the same address is another host on every link. */
const LINK_LOCAL: BigRange = { first: 0xfe80n << 112n, last: (0xfec0n << 112n) - 1n };

/**
 * Never probed, whatever was asked: a packet to them reaches nobody, or everybody.
 * IPv4: "this network" (RFC 1122), multicast (RFC 5771), the reserved block with the limited broadcast address (RFC 1112).
 * IPv6: the unspecified address and multicast (RFC 4291 sections 2.5.2 and 2.7), IPv4-mapped addresses, which are not for
 * the wire (RFC 4291 section 2.5.5.2, RFC 5156), and link-local ones, which mean nothing without a zone (RFC 4007).
 */
export const NEVER_PROBED: AddressSet = {
  v4: [
    { first: 0, last: 0x00ff_ffff },
    { first: 0xe000_0000, last: IPV4_SPACE - 1 },
  ],
  v6: [
    { first: 0n, last: 0n },
    { first: 0xffff_0000_0000n, last: 0xffff_ffff_ffffn },
    LINK_LOCAL,
    { first: 0xff00n << 112n, last: (1n << 128n) - 1n },
  ],
};

/** `exclusions` take addresses away, so they may be as large as one likes, and link-local. */
export type SpecificationUse = "targets" | "exclusions";

export interface SplitTargets {
  readonly addresses: AddressSet;
  /** In the order in which they were written, lower case, each once. */
  readonly hostnames: readonly string[];
}

/**
 * Addresses to scan named by the specifications. Each may hold several, split by commas or white space.
 * @throws UsageError INVALID_TARGET or SCOPE_TOO_LARGE naming the first token that is wrong; a host name is wrong
 */
export function parseTargets(specifications: readonly string[]): AddressSet {
  return parseAddresses(specifications, "targets");
}

/**
 * Addresses to leave out, or to stay within: as `parseTargets`, but of any size.
 * @throws UsageError INVALID_TARGET naming the first token that is wrong
 */
export function parseExclusions(specifications: readonly string[]): AddressSet {
  return parseAddresses(specifications, "exclusions");
}

function parseAddresses(specifications: readonly string[], use: SpecificationUse): AddressSet {
  return joined(tokensOf(specifications).map((token) => parseToken(token, use)));
}

/**
 * As `parseTargets` and `parseExclusions`, but host names are handed back instead of refused.
 * @throws UsageError INVALID_TARGET or SCOPE_TOO_LARGE naming the first token that is neither
 */
export function splitTargets(
  specifications: readonly string[],
  use: SpecificationUse = "targets",
): SplitTargets {
  const hostnames = new Set<string>();
  const sets: AddressSet[] = [];
  for (const token of tokensOf(specifications)) {
    if (isHostname(token)) hostnames.add(token.toLowerCase());
    else sets.push(parseToken(token, use));
  }
  return { addresses: joined(sets), hostnames: [...hostnames] };
}

/** The words of the specifications, as they were written. */
export function tokensOf(specifications: readonly string[]): string[] {
  return specifications.flatMap((text) => text.split(/[\s,]+/)).filter((token) => token !== "");
}

/** `unionAddresses` for more sets than a call may have arguments. */
function joined(sets: readonly AddressSet[]): AddressSet {
  return addressSetOf(
    sets.flatMap(({ v4 }) => v4),
    sets.flatMap(({ v6 }) => v6),
  );
}

function parseToken(token: string, use: SpecificationUse): AddressSet {
  const addresses = parseAddressToken(token);
  if (use === "targets") for (const range of addresses.v6) requireEnumerable(token, range);
  return addresses;
}

function requireEnumerable(token: string, { first, last }: BigRange): void {
  if (first >= LINK_LOCAL.first && first <= LINK_LOCAL.last) {
    throw invalidTarget(
      token,
      "link-local addresses need a zone, which cannot be given; use the host's global or unique local address",
    );
  }
  if (last - first >= 1n << MAX_ENUMERABLE_BITS) {
    const shown = excerpt(token);
    throw new UsageError(
      "SCOPE_TOO_LARGE",
      `target '${shown}' holds more than 2^${MAX_ENUMERABLE_BITS} addresses, which cannot be tried one by one; ` +
        "name the addresses that may be in use, or networks of /80 and smaller",
      { details: { token: shown } },
    );
  }
}

/** The addresses to probe: targets less exclusions, less what is never probed. */
export function probedAddresses(targets: AddressSet, exclusions: AddressSet): AddressSet {
  return subtractAddresses(targets, unionAddresses(exclusions, NEVER_PROBED));
}

/** The shortest text that is read back as this range: a network where it fits, else two ends. */
export function formatAddressRange(range: NumberRange | BigRange): string {
  return isBigRange(range) ? formatIpv6Range(range) : formatIpv4Range(range);
}

/** Canonical texts, one a range, IPv4 first. */
export function formatAddressSet({ v4, v6 }: AddressSet): string[] {
  return [...v4.map(formatIpv4Range), ...v6.map(formatIpv6Range)];
}

function isBigRange(range: NumberRange | BigRange): range is BigRange {
  return typeof range.first === "bigint";
}

function formatIpv4Range({ first, last }: NumberRange): string {
  if (first === last) return formatIpv4(first);
  const size = last - first + 1;
  const bits = Math.log2(size);
  if (Number.isInteger(bits) && first % size === 0) return `${formatIpv4(first)}/${32 - bits}`;
  return `${formatIpv4(first)}-${formatIpv4(last)}`;
}

function formatIpv6Range({ first, last }: BigRange): string {
  if (first === last) return formatIpv6(first);
  const size = last - first + 1n;
  if ((size & (size - 1n)) === 0n && first % size === 0n) {
    return `${formatIpv6(first)}/${128 - (size.toString(2).length - 1)}`;
  }
  return `${formatIpv6(first)}-${formatIpv6(last)}`;
}
