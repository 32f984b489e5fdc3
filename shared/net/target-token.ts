/**
 * One word that names addresses. What may be written:
 * an address, a network `10.0.0.0/24` or `2001:db8::/120`, a range `10.0.0.1-10.0.0.9` or `2001:db8::1-2001:db8::9`,
 * and for IPv4 also octet patterns, `10.0-3.1.1-254`. Lists of words and host names are left to `target-collector.ts`.
 */

import { UsageError } from "../errors.ts";
import type { BigRange } from "./address-ranges.ts";
import { excerpt } from "./excerpt.ts";
import { parseIpv4 } from "./ipv4.ts";
import { parseIpv6 } from "./ipv6.ts";
import { countPatternRanges, expandOctetPattern, parseOctetPattern } from "./octet-pattern.ts";
import type { NumberRange } from "./ranges.ts";

/** Ranges that one octet pattern may make. `*.*.1.*` is 65,536 of them; `*.*.*.1` would be 16 million. */
export const MAX_PATTERN_RANGES = 1_000_000;

const V4_PREFIX = /^(?:[12]?\d|3[0-2])$/;
const V6_PREFIX = /^(?:[1-9]?\d|1[01]\d|12[0-8])$/;

/** Ends of a pattern that look like a flag, or like a range torn in two: `-10.0.0.1`, `10.0.0.1- 10.0.0.9`. */
const TORN = /^-\d|\d-$/;

/** @throws UsageError INVALID_TARGET naming the token */
export function invalidTarget(token: string, why: string): UsageError {
  const shown = excerpt(token);
  return new UsageError("INVALID_TARGET", `invalid target '${shown}': ${why}`, { details: { token: shown } });
}

/**
 * The addresses that a word without a colon names, sorted and disjoint.
 * @throws UsageError INVALID_TARGET naming the token
 */
export function parseIpv4Token(token: string): Iterable<NumberRange> {
  const address = parseIpv4(token);
  if (address !== undefined) return [{ first: address, last: address }];
  const network = splitAt(token, "/");
  if (network !== undefined) return [parseIpv4Network(token, ...network)];
  const range = splitAt(token, "-");
  if (range !== undefined && range.every((end) => end.split(".").length === 4)) {
    return [parseIpv4Range(token, ...range)];
  }
  return parsePattern(token);
}

function parseIpv4Network(token: string, base: string, prefix: string): NumberRange {
  const address = parseIpv4(base);
  if (address === undefined) throw invalidTarget(token, `'${excerpt(base)}' is no IPv4 address`);
  if (!V4_PREFIX.test(prefix)) throw invalidTarget(token, "the prefix length must be a number from 0 to 32");
  const size = 2 ** (32 - Number(prefix));
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1 };
}

function parseIpv4Range(token: string, from: string, to: string): NumberRange {
  const first = parseIpv4(from);
  if (first === undefined) throw invalidTarget(token, `'${excerpt(from)}' is no IPv4 address`);
  const last = parseIpv4(to);
  if (last === undefined) throw invalidTarget(token, `'${excerpt(to)}' is no IPv4 address`);
  if (last < first) throw invalidTarget(token, "the range ends before it begins");
  return { first, last };
}

function parsePattern(token: string): Iterable<NumberRange> {
  const pattern = parseOctetPattern(token);
  if (pattern === undefined) {
    throw invalidTarget(
      token,
      "expected an address, a network like 10.0.0.0/24, a range like 10.0.0.1-9, or octets like 10.0-3.1.*",
    );
  }
  if (pattern.some(({ first, last }) => last < first)) {
    throw invalidTarget(token, "the range ends before it begins");
  }
  if (TORN.test(token)) {
    throw invalidTarget(
      token,
      "an open range at its edge could be a slip; write both ends, as in 10.0.0.1-255",
    );
  }
  const ranges = countPatternRanges(pattern);
  if (ranges > MAX_PATTERN_RANGES) {
    throw invalidTarget(
      token,
      `it makes ${ranges} separate ranges, and at most ${MAX_PATTERN_RANGES} are possible; name larger networks`,
    );
  }
  return expandOctetPattern(pattern);
}

/**
 * The addresses that a word with a colon names.
 * @throws UsageError INVALID_TARGET naming the token
 */
export function parseIpv6Token(token: string): BigRange {
  if (token.includes("%")) {
    throw invalidTarget(
      token,
      "a zone like %eth0 cannot be given; global and unique local addresses need none",
    );
  }
  const network = splitAt(token, "/");
  if (network !== undefined) return parseIpv6Network(token, ...network);
  const [from, to] = splitAt(token, "-") ?? [token, token];
  const first = parseIpv6(from);
  if (first === undefined) throw invalidTarget(token, `'${excerpt(from)}' is no IPv6 address`);
  const last = parseIpv6(to);
  if (last === undefined) throw invalidTarget(token, `'${excerpt(to)}' is no IPv6 address`);
  if (last < first) throw invalidTarget(token, "the range ends before it begins");
  return { first, last };
}

function parseIpv6Network(token: string, base: string, prefix: string): BigRange {
  const address = parseIpv6(base);
  if (address === undefined) throw invalidTarget(token, `'${excerpt(base)}' is no IPv6 address`);
  if (!V6_PREFIX.test(prefix)) throw invalidTarget(token, "the prefix length must be a number from 0 to 128");
  const hostBits = 128n - BigInt(prefix);
  const first = (address >> hostBits) << hostBits;
  return { first, last: first + (1n << hostBits) - 1n };
}

/** What stands before and after the first `separator`, or undefined where there is none. */
function splitAt(token: string, separator: string): readonly [string, string] | undefined {
  const at = token.indexOf(separator);
  return at < 0 ? undefined : [token.slice(0, at), token.slice(at + 1)];
}
