/**
 * Target specifications: what people write to name what is to be scanned, and what is never probed whatever they write.
 * The text of a set is here too. Reading word by word is done in `target-collector.ts`.
 */

import { type BigRange, ipv4RangesOf, ipv6RangesOf } from "./address-ranges.ts";
import { type AddressSet, addressSetOf, subtractAddresses } from "./address-set.ts";
import { formatIpv4, IPV4_SPACE } from "./ipv4.ts";
import { formatIpv6 } from "./ipv6.ts";
import type { NumberRange } from "./ranges.ts";
import { LINK_LOCAL, type SpecificationUse, TargetCollector } from "./target-collector.ts";

/**
 * Never probed, whatever was asked: a packet to them reaches nobody, or everybody.
 * IPv4: "this network" (RFC 1122), multicast (RFC 5771), the reserved block with the limited broadcast address (RFC 1112).
 * IPv6: the unspecified address and multicast (RFC 4291 sections 2.5.2 and 2.7), IPv4-mapped addresses, which are not for
 * the wire (RFC 4291 section 2.5.5.2, RFC 5156), and link-local ones, which mean nothing without a zone (RFC 4007).
 */
export const NEVER_PROBED: AddressSet = addressSetOf(
  [
    { first: 0, last: 0x00ff_ffff },
    { first: 0xe000_0000, last: IPV4_SPACE - 1 },
  ],
  [
    { first: 0n, last: 0n },
    { first: 0xffff_0000_0000n, last: 0xffff_ffff_ffffn },
    LINK_LOCAL,
    { first: 0xff00n << 112n, last: (1n << 128n) - 1n },
  ],
);

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
  const collector = new TargetCollector(use, false);
  for (const text of specifications) collector.addText(text);
  return collector.take().addresses;
}

/** The addresses to probe: targets less exclusions, less what is never probed. */
export function probedAddresses(targets: AddressSet, exclusions: AddressSet): AddressSet {
  return subtractAddresses(subtractAddresses(targets, exclusions), NEVER_PROBED);
}

/** The shortest text that is read back as this range: a network where it fits, else two ends. */
export function formatAddressRange(range: NumberRange | BigRange): string {
  return isBigRange(range) ? formatIpv6Range(range) : formatIpv4Range(range);
}

/** Canonical texts, one a range, IPv4 first. */
export function formatAddressSet(set: AddressSet): string[] {
  return [...addressTexts(set)];
}

/** The same one after the other: a list of targets may have a million. */
export function* addressTexts({ v4, v6 }: AddressSet): Generator<string> {
  for (const range of ipv4RangesOf(v4)) yield formatIpv4Range(range);
  for (const range of ipv6RangesOf(v6)) yield formatIpv6Range(range);
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
