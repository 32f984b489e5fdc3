/**
 * IPv4 addresses written octet by octet, as nmap has it: each of the four is a number, `a-b`, `-b` for `0-b`, `a-` for
 * `a-255`, and `-` or `*` for all of 0-255. `10.0-3.1.1-254` is four ranges of addresses.
 */

import type { NumberRange } from "./ranges.ts";

const MAX_OCTET = 255;
const NUMBER = /^(?:0|[1-9]\d{0,2})$/;

/** One range an octet, the first octet first. One that ends before it begins is for the caller to refuse. */
export type OctetPattern = readonly [NumberRange, NumberRange, NumberRange, NumberRange];

/** The pattern, or undefined where the text is none. */
export function parseOctetPattern(text: string): OctetPattern | undefined {
  const [a, b, c, d, ...rest] = text.split(".", 5).map(parseOctet);
  if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
  return rest.length === 0 ? [a, b, c, d] : undefined;
}

function parseOctet(text: string): NumberRange | undefined {
  if (text === "*") return { first: 0, last: MAX_OCTET };
  const [from = "", to, ...rest] = text.split("-", 3);
  if (rest.length > 0) return undefined;
  const first = to !== undefined && from === "" ? 0 : parseNumber(from);
  const last = to === undefined ? first : to === "" ? MAX_OCTET : parseNumber(to);
  if (first === undefined || last === undefined) return undefined;
  return { first, last };
}

function parseNumber(text: string): number | undefined {
  const value = NUMBER.test(text) ? Number(text) : Infinity;
  return value <= MAX_OCTET ? value : undefined;
}

/** How many ranges of addresses the pattern makes. */
export function countPatternRanges(pattern: OctetPattern): number {
  return heads(pattern).reduce((count, { first, last }) => count * (last - first + 1), 1);
}

/** The addresses of the pattern, sorted and disjoint, one range after the other. */
export function* expandOctetPattern(pattern: OctetPattern): Generator<NumberRange> {
  const varying = heads(pattern);
  const run = pattern[varying.length] ?? { first: 0, last: 0 };
  const size = 256 ** (pattern.length - 1 - varying.length);
  for (const head of headsFrom(varying, 0, 0)) {
    yield { first: (head * 256 + run.first) * size, last: (head * 256 + run.last + 1) * size - 1 };
  }
}

/** Every combination of these octets after those that `head` has. */
function* headsFrom(octets: readonly NumberRange[], index: number, head: number): Generator<number> {
  const octet = octets[index];
  if (octet === undefined) {
    yield head;
    return;
  }
  for (let value = octet.first; value <= octet.last; value++) {
    yield* headsFrom(octets, index + 1, head * 256 + value);
  }
}

/** The octets before the last that is not all of 0-255: every combination of theirs begins a range of its own. */
function heads(pattern: OctetPattern): readonly NumberRange[] {
  const run = pattern.findLastIndex(({ first, last }) => first > 0 || last < MAX_OCTET);
  return pattern.slice(0, Math.max(0, run));
}
