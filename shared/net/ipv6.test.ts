/** IPv6 text, against what the platform itself reads and writes. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { isIPv6 } from "node:net";
import { formatIpv6, IPV6_SPACE, parseIpv6 } from "./ipv6.ts";

const address = fc.bigInt({ min: 0n, max: IPV6_SPACE - 1n });
/** Addresses with runs of zeros, which are what is hard to write. */
const sparse = fc
  .array(fc.constantFrom(0n, 0n, 0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.reduce<bigint>((value, group) => (value << 16n) | group, 0n));

describe("parseIpv6", () => {
  test.each([
    ["::", 0n],
    ["::1", 1n],
    ["1::", 1n << 112n],
    ["2001:DB8::1", (0x2001_0db8n << 96n) | 1n],
    ["1:2:3:4:5:6:7:8", 0x0001_0002_0003_0004_0005_0006_0007_0008n],
    ["1:2:3:4:5:6:7::", 0x0001_0002_0003_0004_0005_0006_0007_0000n],
    ["::2:3:4:5:6:7:8", 0x0002_0003_0004_0005_0006_0007_0008n],
    ["::ffff:192.0.2.1", 0xffff_c000_0201n],
    ["1:2:3:4:5:6:192.0.2.1", 0x0001_0002_0003_0004_0005_0006_c000_0201n],
    ["ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", IPV6_SPACE - 1n],
  ])("%s is %p", (text, value) => {
    expect(parseIpv6(text)).toBe(value);
  });

  test.each([
    "",
    ":",
    ":::",
    "1",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "1::2::3",
    ":1::2",
    "1::2:",
    "::12345",
    "::g",
    "::1.2.3",
    "::01.2.3.4",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::1%eth0",
    "[::1]",
    "::1 ",
    "192.0.2.1",
  ])("%p is none", (text) => {
    expect(parseIpv6(text)).toBeUndefined();
  });

  test("agrees with node:net on what is an address", () => {
    const part = fc.constantFrom("", "0", "1", "00ff", "fffff", "1.2.3.4", "::", ":");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), fc.constantFrom(":", ""), (parts, separator) => {
        const text = parts.join(separator);
        expect(parseIpv6(text) !== undefined).toBe(isIPv6(text));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("formatIpv6", () => {
  test.each([
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:2:3:4:5:6:0:8", "1:2:3:4:5:6:0:8"],
    ["::ffff:c000:201", "::ffff:192.0.2.1"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
  ])("writes %s as %s", (text, canonical) => {
    expect(formatIpv6(parseIpv6(text) ?? -1n)).toBe(canonical);
  });

  test("is read back", () => {
    fc.assert(
      fc.property(fc.oneof(address, sparse), (value) => expect(parseIpv6(formatIpv6(value))).toBe(value)),
    );
  });

  test("writes what the WHATWG URL parser writes, but for IPv4-mapped addresses", () => {
    fc.assert(
      fc.property(fc.oneof(address, sparse), (value) => {
        fc.pre(value >> 32n !== 0xffffn);
        const groups = Array.from({ length: 8 }, (_, i) =>
          ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
        );
        expect(`[${formatIpv6(value)}]`).toBe(new URL(`http://[${groups.join(":")}]`).hostname);
      }),
    );
  });
});
