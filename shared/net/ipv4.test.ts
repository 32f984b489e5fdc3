/** Text ⇄ number for IPv4 addresses, over the whole space and at its edges. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { formatIpv4, IPV4_SPACE, parseIpv4 } from "./ipv4.ts";

const address = fc.integer({ min: 0, max: IPV4_SPACE - 1 });

describe("parseIpv4", () => {
  test.each([
    ["0.0.0.0", 0],
    ["10.0.0.1", 0x0a00_0001],
    ["127.255.255.255", 0x7fff_ffff],
    ["128.0.0.0", 0x8000_0000],
    ["255.255.255.255", 0xffff_ffff],
  ])("reads %s", (text, value) => {
    expect(parseIpv4(text)).toBe(value);
    expect(formatIpv4(value)).toBe(text);
  });

  test.each([
    "",
    ".",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.",
    ".1.2.3",
    "256.0.0.1",
    "1.2.3.1000",
    "010.0.0.1",
    "1.2.3.00",
    "0x7f.0.0.1",
    "1e1.0.0.1",
    "+1.2.3.4",
    "-1.2.3.4",
    " 1.2.3.4",
    "1.2.3.4\n",
    "1.2.3.4/32",
    "١.٢.٣.٤",
    "2130706433",
    "::1",
  ])("refuses %j", (text) => {
    expect(parseIpv4(text)).toBeUndefined();
  });

  test("reads back what formatIpv4 writes", () => {
    fc.assert(fc.property(address, (value) => parseIpv4(formatIpv4(value)) === value));
  });

  test("accepts one text per address: whatever it accepts, formatIpv4 writes the same", () => {
    const nearlyAddress = fc
      .array(fc.stringMatching(/^[0-9]{0,4}$/), { minLength: 3, maxLength: 5 })
      .map((parts) => parts.join("."));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), nearlyAddress), (text) => {
        const value = parseIpv4(text);
        return value === undefined || formatIpv4(value) === text;
      }),
    );
  });
});
