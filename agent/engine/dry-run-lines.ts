/**
 * The lines of a dry run as bytes: `10.0.0.1 80`. Written digit by digit, because a string for each of many million
 * lines would keep the garbage collector busy, and make it ask for more memory than all else.
 */

import type { LaneWindow } from "./targets/lane.ts";
import { formatWords } from "./targets/address-words.ts";
import { isAnswered } from "./dedup.ts";
import { type Permutation, permute } from "./targets/permutation.ts";
import { type ProbeSpace, wordsOfNumber } from "./targets/space.ts";
import { stretchOfNumber } from "./targets/stretches.ts";

const DOT = 0x2e;
const ZERO = 0x30;
const NOTHING = new Uint8Array(0);
const MAX_ADDRESS_BYTES = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length;

const encoder = new TextEncoder();

/** What stands after the address, by question; and the most bytes that a line takes. */
export interface LineEnds {
  readonly ends: readonly Uint8Array[];
  readonly maxLineBytes: number;
}

export function lineEnds(suffixes: readonly string[]): LineEnds {
  const ends = suffixes.map((suffix) => encoder.encode(`${suffix}\n`));
  const longest = ends.reduce((most, { length }) => Math.max(most, length), 0);
  return { ends, maxLineBytes: MAX_ADDRESS_BYTES + longest };
}

/**
 * Writes the lines of a lane's positions from `from` to before `to`, without those that were answered.
 * @param bytes with room for as many lines
 * @returns how many bytes were written
 */
export function writeLines(
  bytes: Uint8Array,
  space: ProbeSpace,
  { size, a, b, key0, key1 }: Permutation,
  { ends }: LineEnds,
  answered: Int32Array | undefined,
  from: number,
  to: number,
  { firstPosition, step, firstBit, bitStep }: LaneWindow,
): number {
  const { v4Firsts, offsets, questions } = space;
  let end = 0;
  for (let at = from; at < to; at++) {
    if (answered !== undefined && isAnswered(answered, firstBit + at * bitStep)) continue;
    const index = permute(firstPosition + at * step, size, a, b, key0, key1);
    const number = Math.floor(index / questions.count);
    const stretch = stretchOfNumber(offsets, number);
    if (stretch < v4Firsts.length) {
      end = writeIpv4(bytes, end, (v4Firsts[stretch] ?? 0) + (number - (offsets[stretch] ?? 0)));
    } else {
      end += encoder.encodeInto(formatWords(6, wordsOfNumber(space, number)), bytes.subarray(end)).written;
    }
    end = writeBytes(bytes, end, ends[index - number * questions.count] ?? NOTHING);
  }
  return end;
}

/** Returns the place after them. One by one: there are a few, and a call would cost more. */
function writeBytes(bytes: Uint8Array, at: number, from: Uint8Array): number {
  for (let i = 0; i < from.length; i++) bytes[at + i] = from[i] ?? 0;
  return at + from.length;
}

/** Returns the place after the address. */
function writeIpv4(bytes: Uint8Array, at: number, address: number): number {
  let end = writeOctet(bytes, at, address >>> 24);
  bytes[end++] = DOT;
  end = writeOctet(bytes, end, (address >>> 16) & 255);
  bytes[end++] = DOT;
  end = writeOctet(bytes, end, (address >>> 8) & 255);
  bytes[end++] = DOT;
  return writeOctet(bytes, end, address & 255);
}

function writeOctet(bytes: Uint8Array, at: number, octet: number): number {
  let end = at;
  if (octet > 99) bytes[end++] = ZERO + Math.floor(octet / 100);
  if (octet > 9) bytes[end++] = ZERO + (Math.floor(octet / 10) % 10);
  bytes[end++] = ZERO + (octet % 10);
  return end;
}
