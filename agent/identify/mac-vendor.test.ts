/** The maker of a card: known ones, the longest prefix, and every line of the table. */

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { formatMac, vendorOfMac } from "./mac-vendor.ts";

const TABLE = readFileSync(new URL("./data/mac-vendors.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => line.split("\t"))
  .map(([prefix = "", name = ""]) => ({ prefix, name }));

/** The two words of an address given as up to 12 hexadecimal digits; the rest are those of `fill`. */
function words(prefix: string, fill: "0" | "f" = "0"): readonly [high: number, low: number] {
  const mac = Number.parseInt(prefix.padEnd(12, fill), 16);
  return [Math.floor(mac / 2 ** 32), mac % 2 ** 32];
}

describe("vendorOfMac", () => {
  test.each([
    ["000c29abcdef", "VMware, Inc."],
    ["b827eb000001", "Raspberry Pi Foundation"],
    ["001b21000000", "Intel Corporate"],
    ["000000000000", "XEROX CORPORATION"],
  ])("%s is of %s", (mac, name) => {
    expect(vendorOfMac(...words(mac))).toBe(name);
  });

  test("takes the lower word signed too", () => {
    expect(vendorOfMac(0xb827, 0xebff_ffff | 0)).toBe("Raspberry Pi Foundation");
  });

  test.each(["525400123456", "ffffffffffff", "020000000000"])("nobody made %s", (mac) => {
    expect(vendorOfMac(...words(mac))).toBeUndefined();
  });

  test("a block that was handed out in parts has the makers of the parts, and none of its own", () => {
    expect(vendorOfMac(...words("c85ce27"))).toBe("SYNERGY SYSTEMS AND SOLUTIONS");
    expect(TABLE.filter(({ prefix }) => prefix === "c85ce2")).toEqual([]);
  });

  test("finds the first and the last address of every prefix in the table", () => {
    expect(TABLE.length).toBeGreaterThan(50_000);
    const longer = new Map(TABLE.map(({ prefix, name }) => [prefix, name]));
    const expected = (mac: string): string | undefined =>
      longer.get(mac.slice(0, 9)) ?? longer.get(mac.slice(0, 7)) ?? longer.get(mac.slice(0, 6));
    const wrong = TABLE.flatMap(({ prefix }) =>
      (["0", "f"] as const).filter(
        (fill) => vendorOfMac(...words(prefix, fill)) !== expected(prefix.padEnd(12, fill)),
      ),
    );
    expect(wrong).toEqual([]);
  });

  test("the table is sorted by bytes, each prefix once, and every name fits a result", () => {
    const prefixes = TABLE.map(({ prefix }) => prefix);
    expect(prefixes).toEqual([...new Set(prefixes)].toSorted());
    expect(TABLE.filter(({ name }) => name === "" || name.length > 255)).toEqual([]);
  });
});

test.each([
  [0x000c, 0x29ab_cdef, "00:0c:29:ab:cd:ef"],
  [0, 0, "00:00:00:00:00:00"],
  [0xffff, -1, "ff:ff:ff:ff:ff:ff"],
])("formatMac(%d, %d) is %s", (high, low, text) => {
  expect(formatMac(high, low)).toBe(text);
});
