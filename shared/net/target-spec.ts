/**
 * Target specifications: what people write to name addresses.
 * One address `10.0.0.1`, a network `10.0.0.0/24`, or a range `10.0.0.1-10.0.0.9`, also shortened as `10.0.0.1-9`.
 */

import { UsageError } from "../errors.ts";
import { excerpt } from "./excerpt.ts";
import { formatIpv4, IPV4_SPACE, parseIpv4 } from "./ipv4.ts";
import { normalizeRanges, type NumberRange, subtractRanges } from "./ranges.ts";

/**
 * Never probed, whatever was asked: "this network" (RFC 1122), multicast (RFC 5771), and the reserved block with the
 * limited broadcast address (RFC 1112). A SYN to them reaches nobody, or everybody.
 */
export const NEVER_PROBED: readonly NumberRange[] = [
  { first: 0, last: 0x00ff_ffff },
  { first: 0xe000_0000, last: IPV4_SPACE - 1 },
];

const PREFIX_LENGTH = /^(?:[12]?\d|3[0-2])$/;

function invalid(token: string, why: string): UsageError {
  const shown = excerpt(token);
  return new UsageError("INVALID_TARGET", `invalid target '${shown}': ${why}`, { details: { token: shown } });
}

function parseCidr(token: string, base: string, prefix: string): NumberRange {
  const address = parseIpv4(base);
  if (address === undefined) throw invalid(token, `'${excerpt(base)}' is no IPv4 address`);
  if (!PREFIX_LENGTH.test(prefix)) throw invalid(token, "the prefix length must be a number from 0 to 32");
  const size = 2 ** (32 - Number(prefix));
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1 };
}

function parseDashed(token: string, from: string, to: string): NumberRange {
  const first = parseIpv4(from);
  if (first === undefined) throw invalid(token, `'${excerpt(from)}' is no IPv4 address`);
  const last = /^\d{1,3}$/.test(to)
    ? parseIpv4(`${from.slice(0, from.lastIndexOf("."))}.${to}`)
    : parseIpv4(to);
  if (last === undefined) throw invalid(token, `'${excerpt(to)}' is no IPv4 address and no last octet`);
  if (last < first) throw invalid(token, "the range ends before it begins");
  return { first, last };
}

function parseToken(token: string): NumberRange {
  const slash = token.indexOf("/");
  if (slash >= 0) return parseCidr(token, token.slice(0, slash), token.slice(slash + 1));
  const dash = token.indexOf("-");
  if (dash >= 0) return parseDashed(token, token.slice(0, dash), token.slice(dash + 1));
  const address = parseIpv4(token);
  if (address === undefined)
    throw invalid(token, "expected an IPv4 address, a network like 10.0.0.0/24, or a range");
  return { first: address, last: address };
}

/**
 * Addresses named by the specifications, sorted and disjoint. Each may hold several, split by commas or white space.
 * @throws UsageError INVALID_TARGET naming the first token that is wrong
 */
export function parseTargets(specifications: readonly string[]): NumberRange[] {
  const tokens = specifications.flatMap((text) => text.split(/[\s,]+/)).filter((token) => token !== "");
  return normalizeRanges(tokens.map(parseToken));
}

/** The addresses to probe: targets less exclusions, less what is never probed. */
export function probedAddresses(
  targets: readonly NumberRange[],
  exclusions: readonly NumberRange[],
): NumberRange[] {
  return subtractRanges(targets, normalizeRanges([...exclusions, ...NEVER_PROBED]));
}

/** The shortest text that `parseTargets` reads back: networks where they fit, else ranges. */
export function formatAddressRange({ first, last }: NumberRange): string {
  if (first === last) return formatIpv4(first);
  const size = last - first + 1;
  const bits = Math.log2(size);
  if (Number.isInteger(bits) && first % size === 0) return `${formatIpv4(first)}/${32 - bits}`;
  return `${formatIpv4(first)}-${formatIpv4(last)}`;
}
