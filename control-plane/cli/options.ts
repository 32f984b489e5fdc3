/** Readers of option values: each gives the value or one line that says what is wrong with it. */

import { InvalidArgumentError } from "commander";
import { UsageError } from "#shared/errors.ts";

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

/** Like `collectList`, for a few known words, each counted once. */
export function collectChoices(
  choices: readonly string[],
): (text: string, before: readonly string[] | undefined) => string[] {
  return (text, before) => {
    const chosen = collectList(text, before);
    const unknown = chosen.find((word) => !choices.includes(word));
    if (unknown === undefined) return [...new Set(chosen)];
    throw new InvalidArgumentError(`'${unknown}' is none of ${choices.join(", ")}.`);
  };
}

/** Reads the argument by which commands name a scan. @throws UsageError, which Commander passes on as it is */
export function scanId(text: string): number {
  const id = Number(text);
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(id)) return id;
  throw new UsageError("USAGE", `the scan's id must be a number, not '${text}'`);
}
