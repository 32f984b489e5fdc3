/**
 * CSV after RFC 4180, one record a line. Control characters are shown as `\x1B`, so that no record spans lines. Text
 * that a spreadsheet would run as a formula gets a `'` in front, and so does text that begins with one.
 */

import { visibleText } from "./visible-text.ts";

export function csvRecord(values: readonly (string | number | null | undefined)[]): string {
  return `${values.map(field).join(",")}\r\n`;
}

function field(value: string | number | null | undefined): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number") return String(value);
  const text = visibleText(value);
  const inert = /^[=+\-@']/.test(text) ? `'${text}` : text;
  return /[",]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
