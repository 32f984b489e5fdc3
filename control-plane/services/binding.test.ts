import { describe, expect, test } from "bun:test";
import { boundValue, type Caller, checkBinding, parseBinding } from "./binding.ts";
import { type Address, parseAddress } from "./network.ts";

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`'${text}' is no address`);
  return parsed;
}

function caller(text: string, asn?: number): Caller {
  return { address: address(text), asn };
}

describe("a binding as operators give it", () => {
  test.each([
    ["none", undefined, null],
    ["ip", undefined, null],
    ["ip", "2001:DB8::0001", "2001:db8::1"],
    ["subnet", undefined, null],
    ["subnet", "192.0.2.9", "192.0.2.0/24"],
    ["subnet", "192.0.2.9/16", "192.0.0.0/16"],
    ["subnet", "2001:db8::9", "2001:db8::/64"],
    ["asn", undefined, null],
    ["asn", "as64500", "AS64500"],
    ["asn", "4294967295", "AS4294967295"],
  ] as const)("%s %p is bound to %p", (mode, value, bound) => {
    expect(parseBinding(mode, value, true)).toEqual({ mode, value: bound });
  });

  test.each([
    ["asn", undefined, "no ASN database is configured"],
    ["none", "192.0.2.1", "takes no bindingValue"],
    ["ip", "192.0.2.0/24", "is no IP address"],
    ["subnet", "somewhere", "is no network"],
    ["asn", "AS0", "is no autonomous system"],
    ["asn", "4294967296", "is no autonomous system"],
    ["asn", "AS1; reboot", "is no autonomous system"],
  ] as const)("%s %p is refused", (mode, value, why) => {
    expect(() => parseBinding(mode, value, value !== undefined)).toThrow(
      expect.objectContaining({ code: "INVALID_REQUEST", message: expect.stringContaining(why) }),
    );
  });
});

test("the first contact binds to the address, or to its network", () => {
  expect(boundValue("ip", caller("192.0.2.9"))).toBe("192.0.2.9");
  expect(boundValue("subnet", caller("192.0.2.9"))).toBe("192.0.2.0/24");
  expect(boundValue("subnet", caller("2001:db8:1:2:3::9"))).toBe("2001:db8:1:2::/64");
  expect(boundValue("asn", caller("192.0.2.9", 64500))).toBe("AS64500");
  expect(boundValue("asn", caller("192.0.2.9"))).toBeUndefined();
});

describe("a call", () => {
  test.each([
    ["none", null, "192.0.2.1", "allowed"],
    ["ip", null, "192.0.2.1", "unbound"],
    ["ip", "192.0.2.1", "192.0.2.1", "allowed"],
    ["ip", "192.0.2.1", "::ffff:192.0.2.1", "allowed"],
    ["ip", "192.0.2.1", "192.0.2.2", "violation"],
    ["subnet", "192.0.2.0/24", "192.0.2.200", "allowed"],
    ["subnet", "192.0.2.0/24", "192.0.3.1", "violation"],
    ["subnet", "2001:db8::/64", "192.0.2.1", "violation"],
  ] as const)("of a scanner bound by %s to %p from %s: %s", (mode, value, from, verdict) => {
    expect(checkBinding({ mode, value }, caller(from))).toBe(verdict);
  });

  test.each([
    [64500, "AS64500", "allowed"],
    [64501, "AS64500", "violation"],
    [64500, null, "unbound"],
    [undefined, "AS64500", "violation"],
    [undefined, null, "violation"],
  ] as const)("from system %p of a scanner bound by asn to %p: %s", (asn, value, verdict) => {
    expect(checkBinding({ mode: "asn", value }, caller("192.0.2.1", asn))).toBe(verdict);
  });

  test("from an address that cannot be read is a violation, unless there is no binding", () => {
    expect(checkBinding({ mode: "ip", value: null }, { address: undefined, asn: undefined })).toBe(
      "violation",
    );
    expect(checkBinding({ mode: "none", value: null }, { address: undefined, asn: undefined })).toBe(
      "allowed",
    );
  });
});
