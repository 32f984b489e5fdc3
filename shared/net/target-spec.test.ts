/** Target specifications: what is read, what is refused and by which name, what is never probed. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { UsageError } from "../errors.ts";
import { type AddressRanges, type BigRange, countAddressesIn, ipv6RangesOf } from "./address-ranges.ts";
import { type AddressSet, addressSetOf, emptyAddressSet, unionAddresses } from "./address-set.ts";
import { formatIpv4, IPV4_SPACE, parseIpv4 } from "./ipv4.ts";
import { formatIpv6, IPV6_SPACE, parseIpv6 } from "./ipv6.ts";
import type { NumberRange } from "./ranges.ts";
import {
  formatAddressRange,
  formatAddressSet,
  NEVER_PROBED,
  parseExclusions,
  parseTargets,
  probedAddresses,
} from "./target-spec.ts";

const v4Range = fc
  .tuple(fc.nat(IPV4_SPACE - 1), fc.nat(IPV4_SPACE - 1))
  .map(([a, b]): NumberRange => ({ first: Math.min(a, b), last: Math.max(a, b) }));
const v4Network = fc
  .tuple(fc.nat(IPV4_SPACE - 1), fc.integer({ min: 0, max: 32 }))
  .map(([base, prefix]): NumberRange => {
    const size = 2 ** (32 - prefix);
    const first = base - (base % size);
    return { first, last: first + size - 1 };
  });

const v6Address = fc.bigInt({ min: 0n, max: IPV6_SPACE - 1n });
const v6Range = fc
  .tuple(v6Address, v6Address)
  .map(([a, b]): BigRange => (a < b ? { first: a, last: b } : { first: b, last: a }));
const v6Network = fc.tuple(v6Address, fc.bigInt({ min: 0n, max: 128n })).map(([base, hostBits]): BigRange => {
  const first = (base >> hostBits) << hostBits;
  return { first, last: first + (1n << hostBits) - 1n };
});
const addressSet = fc
  .tuple(fc.array(fc.oneof(v4Range, v4Network)), fc.array(fc.oneof(v6Range, v6Network)))
  .map(([v4, v6]) => addressSetOf(v4, v6));

function range(first: string, last: string = first): NumberRange {
  return { first: parseIpv4(first) ?? NaN, last: parseIpv4(last) ?? NaN };
}

function bigRange(first: string, last: string = first): BigRange {
  return { first: parseIpv6(first) ?? -1n, last: parseIpv6(last) ?? -1n };
}

/** The refusal. Anything else that is thrown, or nothing, fails the test. */
function refusal(parse: () => unknown): UsageError {
  try {
    parse();
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("parseTargets reads IPv4", () => {
  test.each([
    ["10.0.0.1", [range("10.0.0.1")]],
    ["10.0.0.0/24", [range("10.0.0.0", "10.0.0.255")]],
    ["10.0.0.77/24", [range("10.0.0.0", "10.0.0.255")]],
    ["10.0.0.77/32", [range("10.0.0.77")]],
    ["0.0.0.0/0", [range("0.0.0.0", "255.255.255.255")]],
    ["200.1.2.3/1", [range("128.0.0.0", "255.255.255.255")]],
    ["10.0.0.1-10.0.1.9", [range("10.0.0.1", "10.0.1.9")]],
    ["10.0.0.1-9", [range("10.0.0.1", "10.0.0.9")]],
    ["10.0.0.9-9", [range("10.0.0.9")]],
    ["10.0.0.2,10.0.0.1\n10.0.0.3", [range("10.0.0.1", "10.0.0.3")]],
    [" 10.0.0.9, 10.0.0.0/31 ", [range("10.0.0.0", "10.0.0.1"), range("10.0.0.9")]],
    ["10.0-2.1.1-254", ["10.0.1", "10.1.1", "10.2.1"].map((net) => range(`${net}.1`, `${net}.254`))],
    ["10.0.1-2.0", [range("10.0.1.0"), range("10.0.2.0")]],
    ["10.0.1-2.*", [range("10.0.1.0", "10.0.2.255")]],
    ["10.0.0.*", [range("10.0.0.0", "10.0.0.255")]],
    ["10.0.0.-", [range("10.0.0.0", "10.0.0.255")]],
    ["10.0.0.-3", [range("10.0.0.0", "10.0.0.3")]],
    ["10.0.254-.7", [range("10.0.254.7"), range("10.0.255.7")]],
    ["1-3.*.-.0-255", [range("1.0.0.0", "3.255.255.255")]],
    ["*.*.*.*", [range("0.0.0.0", "255.255.255.255")]],
    ["", []],
  ])("%j", (specification, v4) => {
    expect(parseTargets([specification])).toEqual(addressSetOf(v4, []));
  });

  test("a pattern of many ranges, up to a million", () => {
    expect(parseTargets(["10.0-255.0-255.1"]).v4).toHaveLength(65_536);
    expect(parseTargets(["0-14.*.*.1"]).v4).toHaveLength(983_040);
    expect(refusal(() => parseTargets(["0-15.*.*.1"])).message).toContain("1048576 separate ranges");
  });
});

describe("parseTargets reads IPv6", () => {
  test.each([
    ["2001:db8::1", [bigRange("2001:db8::1")]],
    ["2001:DB8:0:0:0:0:0:1/128", [bigRange("2001:db8::1")]],
    ["2001:db8::77/120", [bigRange("2001:db8::", "2001:db8::ff")]],
    ["2001:db8::/80", [bigRange("2001:db8::", "2001:db8::ffff:ffff:ffff")]],
    ["2001:db8::1-2001:db8::1:0", [bigRange("2001:db8::1", "2001:db8::1:0")]],
    ["2001:db8::2,2001:db8::1 2001:db8::3", [bigRange("2001:db8::1", "2001:db8::3")]],
    ["::1", [bigRange("::1")]],
  ])("%j", (specification, v6) => {
    expect(parseTargets([specification])).toEqual(addressSetOf([], v6));
  });

  test("beside IPv4, in several specifications", () => {
    expect(parseTargets(["10.0.0.0/25,2001:db8::1", "10.0.0.128/25 ::1"])).toEqual(
      addressSetOf([range("10.0.0.0", "10.0.0.255")], [bigRange("::1"), bigRange("2001:db8::1")]),
    );
  });
});

describe("parseTargets refuses", () => {
  test.each([
    "a",
    "10.0.0",
    "10.0.0.256",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0-1.0/24",
    "/8",
    "10.0.0.9-1",
    "10.0.9-1.0",
    "10.0.0.1-",
    "10.0.0.1-256",
    "10.0.0.1-09",
    "-10.0.0.1",
    "10.0.0.1-2-3",
    "10.0.0.**",
    "10.0..1",
    "10.0.0.1.2",
    "10.0.0.0/24-10.0.1.0/24",
    "10.0.0.9-10.0.0.1",
    "::1::",
    "2001:db8::/129",
    "2001:db8::/",
    "2001:db8::/0128",
    "2001:db8::9-2001:db8::1",
    "2001:db8::1-9",
    "2001:db8::1-10.0.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fe80::/10",
    "[::1]",
    "example.org",
  ])("%j by name", (token) => {
    const error = refusal(() => parseTargets(["10.0.0.1", `10.0.0.2,${token}`, "zzz"]));
    expect(error.code).toBe("INVALID_TARGET");
    expect(error.details).toEqual({ token });
    expect(error.message).toStartWith(`invalid target '${token}': `);
  });

  test("lists inside an octet, which the comma between targets tears apart", () => {
    expect(refusal(() => parseTargets(["192.168.1,2.1-5"])).details).toEqual({ token: "192.168.1" });
    expect(refusal(() => parseTargets(["192.168.1.1,2"])).details).toEqual({ token: "2" });
  });

  test.each(["::/0", "2001:db8::/32", "2001:db8::/79", "2001:db8::-2001:db8::1:0:0:0", "fe7f::-fec0::"])(
    "%s, which nobody can try one by one, saying so",
    (token) => {
      const error = refusal(() => parseTargets([token]));
      expect(error.code).toBe("SCOPE_TOO_LARGE");
      expect(error.message).toContain(`'${token}'`);
      expect(error.details).toEqual({ token });
    },
  );

  test("in short and clean words, whatever it is given", () => {
    const hostile = `\u001b[2J${"9".repeat(100_000)}`;
    for (const token of [hostile, `${hostile}/8`, `10.0.0.1-${hostile}`, `${hostile}-1`, `::${hostile}/64`]) {
      const error = refusal(() => parseTargets([token]));
      expect(`${error.message} ${String(error.details?.token)}`).toMatch(/^[^\p{Cc}]{1,400}$/u);
    }
  });
});

describe("parseExclusions", () => {
  test.each(["::/0", "2001:db8::/32", "fe80::/10", "10.0.0.0/8"])("takes %s", (text) => {
    expect(formatAddressSet(parseExclusions([text]))).toEqual([text]);
  });

  test("refuses what is no address, as targets do", () => {
    expect(refusal(() => parseExclusions(["example.org"])).code).toBe("INVALID_TARGET");
  });
});

describe("formatAddressRange", () => {
  test.each([
    ["10.0.0.1", range("10.0.0.1")],
    ["10.0.0.0/24", range("10.0.0.0", "10.0.0.255")],
    ["10.0.0.1-10.0.1.0", range("10.0.0.1", "10.0.1.0")],
    ["10.0.0.0-10.0.0.2", range("10.0.0.0", "10.0.0.2")],
    ["0.0.0.0/0", range("0.0.0.0", "255.255.255.255")],
    ["0.0.0.1-255.255.255.255", range("0.0.0.1", "255.255.255.255")],
    ["2001:db8::1", bigRange("2001:db8::1")],
    ["2001:db8::/120", bigRange("2001:db8::", "2001:db8::ff")],
    ["2001:db8::1-2001:db8::ff", bigRange("2001:db8::1", "2001:db8::ff")],
    ["::/0", { first: 0n, last: IPV6_SPACE - 1n }],
  ])("writes %s", (text, given) => {
    expect(formatAddressRange(given)).toBe(text);
  });

  test("writes every network as a network", () => {
    fc.assert(
      fc.property(v4Network, v6Network, (v4, v6) => {
        const [text4, text6] = [formatAddressRange(v4), formatAddressRange(v6)];
        expect(text4).toStartWith(`${formatIpv4(v4.first)}${v4.first === v4.last ? "" : "/"}`);
        expect(text6).toStartWith(`${formatIpv6(v6.first)}${v6.first === v6.last ? "" : "/"}`);
      }),
    );
  });

  test("a set is read back from its texts", () => {
    fc.assert(
      fc.property(addressSet, (set) => {
        expect(parseExclusions(formatAddressSet(set))).toEqual(set);
        const only4 = { ...set, v6: emptyAddressSet.v6 };
        expect(parseTargets(formatAddressSet(only4))).toEqual(only4);
      }),
    );
  });
});

describe("probedAddresses", () => {
  test("takes out exclusions, this network, multicast and the reserved block", () => {
    const all = parseTargets(["0.0.0.0/0"]);
    expect(probedAddresses(all, parseExclusions(["2.0.0.0/8"]))).toEqual(
      addressSetOf([range("1.0.0.0", "1.255.255.255"), range("3.0.0.0", "223.255.255.255")], []),
    );
  });

  test.each([
    ["::-::2", ["::1-::2"]],
    ["::fffe:ffff:ffff-::ffff:0.0.0.1", ["::fffe:ffff:ffff"]],
    ["::ffff:192.0.2.1", []],
    ["ff02::1", []],
    ["feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff-ff00::1", ["feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]],
    ["2001:db8::1, fd00::/126", ["2001:db8::1", "fd00::/126"]],
  ])("of %s leaves %j", (targets, left) => {
    expect(formatAddressSet(probedAddresses(parseTargets([targets]), emptyAddressSet))).toEqual(left);
  });

  test("leaves no link-local address, which has no zone to be found by", () => {
    const linkLocal = addressSetOf([], [bigRange("fe80::1")]);
    expect(probedAddresses(linkLocal, emptyAddressSet)).toEqual(emptyAddressSet);
  });

  test("never lets an address through that was excluded or is never probed, and loses no other", () => {
    fc.assert(
      fc.property(addressSet, addressSet, (targets, exclusions) => {
        const kept = probedAddresses(targets, exclusions);
        const banned = unionAddresses(exclusions, NEVER_PROBED);
        // Nothing kept is banned, and with the banned ones every target is there again.
        const together: AddressSet = unionAddresses(kept, banned);
        expect(countAddressesIn(together.v4)).toBe(countAddressesIn(kept.v4) + countAddressesIn(banned.v4));
        expect(sizeOf(together.v6)).toBe(sizeOf(kept.v6) + sizeOf(banned.v6));
        expect(together).toEqual(unionAddresses(targets, banned));
      }),
    );
  });
});

/** To the last address, where countAddresses rounds. */
function sizeOf(ranges: AddressRanges): bigint {
  return ipv6RangesOf(ranges).reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}
