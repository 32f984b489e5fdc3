import { describe, expect, test } from "bun:test";
import { array, assert, integer, property } from "fast-check";
import {
  formatAddress,
  formatNetwork,
  networkContains,
  networkOf,
  parseAddress,
  parseNetwork,
} from "./network.ts";

describe("addresses", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::", "::"],
    ["::1", "::1"],
    ["2001:DB8::1", "2001:db8::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:2:3:4:5:6:0:8", "1:2:3:4:5:6:0:8"],
    ["fe80::1%eth0", "fe80::1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
  ])("%s is %s", (text, canonical) => {
    const address = parseAddress(text);
    expect(address === undefined ? undefined : formatAddress(address)).toBe(canonical);
  });

  test.each([
    "",
    "1.2.3",
    "010.0.0.1",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "::12345",
    "1.2.3.4::",
    "x",
  ])("%p is none", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test("come back from their canonical text", () => {
    const groups = array(integer({ min: 0, max: 3 }), { minLength: 8, maxLength: 8 });
    assert(
      property(groups, (parts) => {
        const value = parts.reduce((sum, part) => (sum << 16n) | BigInt(part), 0n);
        const text = formatAddress({ family: 6, value });
        const again = parseAddress(text);
        expect(again?.value).toBe(again?.family === 4 ? value & 0xffff_ffffn : value);
      }),
    );
  });
});

describe("networks", () => {
  test.each([
    ["192.0.2.77/24", "192.0.2.0/24"],
    ["192.0.2.1", "192.0.2.1/32"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["2001:db8::1/32", "2001:db8::/32"],
    ["::1", "::1/128"],
  ])("%s is %s", (text, canonical) => {
    const network = parseNetwork(text);
    expect(network === undefined ? undefined : formatNetwork(network)).toBe(canonical);
  });

  test.each(["192.0.2.0/33", "192.0.2.0/", "192.0.2.0/x", "::/129", "192.0.2.0/24/8", "/24"])(
    "%p is none",
    (text) => {
      expect(parseNetwork(text)).toBeUndefined();
    },
  );

  test("contain what lies in them, and nothing of the other family", () => {
    const network = parseNetwork("192.0.2.0/24");
    const zero = parseNetwork("::/0");
    const inside = parseAddress("192.0.2.255");
    const outside = parseAddress("192.0.3.0");
    if (!network || !zero || !inside || !outside) throw new Error("unreadable");
    expect(networkContains(network, inside)).toBe(true);
    expect(networkContains(network, outside)).toBe(false);
    expect(networkContains(zero, inside)).toBe(false);
    expect(formatNetwork(networkOf(inside, 25))).toBe("192.0.2.128/25");
  });
});
