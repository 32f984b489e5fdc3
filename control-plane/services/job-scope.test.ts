import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { compareBytes, formatAddressBytes } from "#shared/net/address-bytes.ts";
import { bytesOf, PROTOCOL_CODES } from "../store/endpoint-key.ts";
import { JobScope } from "./job-scope.ts";

const { tcp, udp } = PROTOCOL_CODES;
const ADDRESSES = Array.from({ length: 12 }, (_, i) => `10.0.0.${i}`);
const target = fc.record({
  addresses: fc.subarray(ADDRESSES, { minLength: 1 }),
  ports: fc.constantFrom("22", "80,443", "U:53", "22,U:53"),
});
const targets = fc.array(target, { minLength: 1, maxLength: 3 });

describe("the scope of a job", () => {
  test("holds what its targets name, and nothing else", () => {
    fc.assert(
      fc.property(
        targets,
        fc.constantFrom(...ADDRESSES),
        fc.constantFrom(22, 80, 443, 53),
        (all, address, port) => {
          const scope = new JobScope(all);
          const names = (protocol: "tcp" | "udp"): boolean =>
            all.some(({ addresses, ports }) => {
              const named = ports.split(",").includes(protocol === "tcp" ? `${port}` : `U:${port}`);
              return addresses.includes(address) && named;
            });
          const key = { address: bytesOf(address), port };
          expect(scope.holds({ ...key, protocol: tcp })).toBe(names("tcp"));
          expect(scope.holds({ ...key, protocol: udp })).toBe(names("udp"));
        },
      ),
    );
  });

  test("keeps the families apart, whatever their bytes", () => {
    const scope = new JobScope([{ addresses: ["32.1.13.184", "2001:db8::/126"], ports: "22" }]);
    const holds = (address: string): boolean =>
      scope.holds({ address: bytesOf(address), protocol: tcp, port: 22 });
    expect(["32.1.13.184", "2001:db8::1", "2001:db8::4", "32.1.13.185"].map(holds)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test("spans all of its addresses", () => {
    const scope = new JobScope([
      { addresses: ["10.0.0.9", "10.0.0.1"], ports: "22" },
      { addresses: ["9.0.0.0/24"], ports: "80" },
    ]);
    expect([scope.span.first, scope.span.last].map(formatAddressBytes)).toEqual(["9.0.0.0", "10.0.0.9"]);
    expect(scope.countTcpPorts(bytesOf("10.0.0.1"))).toBe(1);
    expect(() => new JobScope([])).toThrow(RangeError);
  });

  test("is walked without leaving an address out", () => {
    fc.assert(
      fc.property(targets, fc.constantFrom(...ADDRESSES), (all, address) => {
        const scope = new JobScope(all);
        const after = bytesOf(address);
        const named = [...new Set(all.flatMap(({ addresses }) => addresses))].map(bytesOf);
        const next = named.filter((one) => compareBytes(one, after) > 0).toSorted(compareBytes)[0];
        const skipped = scope.skipAfter(after);
        if (next === undefined) expect(skipped).toBeUndefined();
        else expect(compareBytes(skipped ?? after, next)).toBeLessThanOrEqual(0);
      }),
    );
    const mixed = new JobScope([{ addresses: ["10.0.0.1", "2001:db8::1"], ports: "22" }]);
    expect(mixed.skipAfter(bytesOf("10.0.0.1"))).toEqual(bytesOf("10.0.0.1"));
    const gap = new JobScope([{ addresses: ["10.0.0.1", "10.9.0.0/16"], ports: "22" }]);
    expect(gap.skipAfter(bytesOf("10.0.0.1"))).toEqual(bytesOf("10.9.0.0"));
  });
});
