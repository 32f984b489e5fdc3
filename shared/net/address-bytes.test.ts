import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type Address, formatAddress, parseAddress } from "./address.ts";
import { addressBytes, addressOfBytes, compareBytes, formatAddressBytes } from "./address-bytes.ts";

const ipv4 = fc.nat({ max: 2 ** 32 - 1 }).map((value): Address => ({ family: 4, value }));
const ipv6 = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value): Address => ({ family: 6, value }));

describe("addresses as bytes", () => {
  test.each([
    ["192.0.2.1", "c0000201"],
    ["255.255.255.255", "ffffffff"],
    ["2001:db8::1", "20010db8000000000000000000000001"],
    ["::ffff:192.0.2.1", "00000000000000000000ffffc0000201"],
  ])("%s", (text, hex) => {
    const address = parseAddress(text);
    if (address === undefined) throw new Error(`${text} is an address`);
    expect(Buffer.from(addressBytes(address)).toString("hex")).toBe(hex);
    expect(formatAddressBytes(Buffer.from(hex, "hex"))).toBe(text);
  });

  test("are read back", () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (address) => {
        expect(addressOfBytes(addressBytes(address))).toEqual(address);
        expect(formatAddressBytes(addressBytes(address))).toBe(formatAddress(address));
      }),
    );
  });

  test("sort as the addresses of one family do", () => {
    for (const family of [ipv4, ipv6]) {
      fc.assert(
        fc.property(family, family, (a, b) => {
          const order = a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
          expect(Math.sign(compareBytes(addressBytes(a), addressBytes(b)))).toBe(order);
        }),
      );
    }
  });

  test("of another length are none", () => {
    expect(() => addressOfBytes(new Uint8Array(5))).toThrow(RangeError);
  });
});
