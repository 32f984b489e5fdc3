/**
 * The maker of a network card, from the first bits of its address: IEEE's registries MA-L (24 bits), MA-M (28) and
 * MA-S (36). The table, its source and its licence are in `data/mac-vendors.txt`: sorted lines, searched as they lie,
 * so that it costs its own 1.7 MB when first asked and nothing to prepare.
 */

import { readFileSync } from "node:fs";
import tablePath from "./data/mac-vendors.txt" with { type: "file" };

/** Hexadecimal digits of a prefix, the longest first: of several that fit, the longest is right. */
const PREFIX_DIGITS = [9, 7, 6] as const;
const NEWLINE = 10;

let table: Uint8Array | undefined;

/**
 * @param macHigh upper 16 bits of the address
 * @param macLow lower 32 bits, signed or not
 * @returns undefined where nobody has registered the prefix: software made the address up
 */
export function vendorOfMac(macHigh: number, macLow: number): string | undefined {
  table ??= readFileSync(tablePath);
  const digits = digitsOf(macHigh, macLow);
  for (const length of PREFIX_DIGITS) {
    const name = find(table, `${digits.slice(0, length)}\t`);
    if (name !== undefined) return name;
  }
  return undefined;
}

/** `00:0c:29:ab:cd:ef`. */
export function formatMac(macHigh: number, macLow: number): string {
  return digitsOf(macHigh, macLow).replaceAll(/..(?!$)/g, "$&:");
}

/** A result with the maker beside its hardware address, where both are known. */
export function withMacVendor<T extends { readonly macAddress?: string | undefined }>(
  result: T,
): T & { readonly macVendor?: string } {
  if (result.macAddress === undefined) return result;
  const digits = result.macAddress.replaceAll(":", "");
  const macVendor = vendorOfMac(
    Number.parseInt(digits.slice(0, 4), 16),
    Number.parseInt(digits.slice(4), 16),
  );
  return macVendor === undefined ? result : { ...result, macVendor };
}

function digitsOf(macHigh: number, macLow: number): string {
  return ((macHigh & 0xffff) * 2 ** 32 + (macLow >>> 0)).toString(16).padStart(12, "0");
}

/** The rest of the line that begins with the key. `lines` are sorted by their bytes, each ended. */
function find(lines: Uint8Array, key: string): string | undefined {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    let start = (low + high) >>> 1;
    while (start > low && lines[start - 1] !== NEWLINE) start--;
    const end = lines.indexOf(NEWLINE, start);
    const order = compareStart(lines, start, key);
    if (order === 0) return new TextDecoder().decode(lines.subarray(start + key.length, end));
    if (order < 0) low = end + 1;
    else high = start;
  }
  return undefined;
}

/** Negative, 0 or positive: what stands at `start` against the key. */
function compareStart(lines: Uint8Array, start: number, key: string): number {
  for (let i = 0; i < key.length; i++) {
    const order = (lines[start + i] ?? 0) - key.charCodeAt(i);
    if (order !== 0) return order;
  }
  return 0;
}
