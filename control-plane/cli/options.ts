/** Readers of option values: each gives the value or one line that says what is wrong with it. */

import { InvalidArgumentError } from "commander";

/** A reader of whole numbers within bounds, for `Option.argParser`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}.`);
  };
}

/** Gathers an option that may be given several times. */
export function collect(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}

/** Like `collect`, for lists that may also be written with commas. */
export function collectList(text: string, before: readonly string[] | undefined): string[] {
  const items = text.split(/[\s,]+/).filter((item) => item !== "");
  return [...(before ?? []), ...items];
}
