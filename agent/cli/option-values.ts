/** Words of the command line as values, or errors that name the flag, what it takes and what it was given. */

import { UsageError } from "#shared/errors.ts";
import { excerpt } from "#shared/net/excerpt.ts";

/** @returns never: throws UsageError INVALID_OPTION */
export function refuse(message: string): never {
  throw new UsageError("INVALID_OPTION", message);
}

function wrong(flag: string, takes: string, text: string): never {
  return refuse(`${flag} must be ${takes}, not '${excerpt(text)}'`);
}

/**
 * @param also other words that the flag takes, for the message
 * @throws UsageError INVALID_OPTION
 */
export function numberOf(flag: string, text: string, least: number, most: number, also = ""): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  return wrong(flag, `a number from ${least} to ${most}${also === "" ? "" : ` ${also}`}`, text);
}

/** @throws UsageError INVALID_OPTION */
export function wholeNumberOf(flag: string, text: string, least: number, most: number): number {
  const value = numberOf(flag, text, least, most);
  return Number.isInteger(value) ? value : wrong(flag, "a whole number", text);
}

/** @throws UsageError INVALID_OPTION */
export function oneOf<T extends string>(flag: string, text: string, words: readonly T[]): T {
  return words.find((word) => word === text) ?? wrong(flag, `one of ${words.join(", ")}`, text);
}

/** Six bytes of `00:11:22:33:44:55` or `00-11-22-33-44-55`. @throws UsageError INVALID_OPTION */
export function macOf(flag: string, text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}$/i.test(text)) {
    return wrong(flag, "a hardware address like 00:11:22:33:44:55", text);
  }
  return Uint8Array.from(text.split(/[:-]/), (byte) => Number.parseInt(byte, 16));
}

/** Part k of n, from 1 on the command line and from 0 inside. @throws UsageError INVALID_OPTION */
export function shardOf(flag: string, text: string): { readonly index: number; readonly count: number } {
  const [, k = "", n = ""] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const index = Number(k) - 1;
  const count = Number(n);
  if (k === "" || index < 0 || index >= count) {
    return wrong(flag, "a part and how many there are, from 1/n to n/n", text);
  }
  return { index, count };
}
