/** Index ↔ address and port, against the obvious oracle: the list of all pairs. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { IPV4_SPACE } from "#shared/net/ipv4.ts";
import { normalizeRanges, type NumberRange } from "#shared/net/ranges.ts";
import { addressOfNumber, buildSpace, numberOfAddress, probeIndex } from "./space.ts";

/** Ranges that meet, touch and overlap, about a few places where arithmetic tends to go wrong. */
function rangeSet(bases: readonly number[], most: number): fc.Arbitrary<NumberRange[]> {
  const range = fc
    .tuple(fc.constantFrom(...bases), fc.nat(40), fc.nat(8))
    .map(([base, offset, length]): NumberRange => {
      const first = Math.min(most, base + offset);
      return { first, last: Math.min(most, first + length) };
    });
  return fc.array(range, { minLength: 1, maxLength: 10 }).map(normalizeRanges);
}

const addresses = rangeSet([0, 0x0a00_0000, 2 ** 31 - 20, IPV4_SPACE - 40], IPV4_SPACE - 1);
const ports = rangeSet([0, 443, 32_750, 65_520], 65_535);

function list(ranges: readonly NumberRange[]): number[] {
  return ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}

test("numbers every address with every port, in order, and back", () => {
  fc.assert(
    fc.property(addresses, ports, (addresses, ports) => {
      const space = buildSpace(addresses, ports);
      const allAddresses = list(addresses);
      const allPorts = list(ports);
      expect(space.addressCount).toBe(allAddresses.length);
      expect(space.size).toBe(allAddresses.length * allPorts.length);
      expect([...space.ports]).toEqual(allPorts);
      let index = 0;
      allAddresses.forEach((address, number) => {
        expect(addressOfNumber(space, number)).toBe(address);
        for (const port of allPorts) expect(probeIndex(space, address, port)).toBe(index++);
      });
    }),
    { numRuns: 60 },
  );
});

test("the neighbours of each range are outside, unless they are in another", () => {
  fc.assert(
    fc.property(addresses, (addresses) => {
      const { starts, offsets } = buildSpace(addresses, [{ first: 80, last: 80 }]);
      const all = list(addresses);
      for (const { first, last } of addresses) {
        for (const address of [first - 2, first - 1, first, last, last + 1]) {
          expect(numberOfAddress(starts, offsets, address)).toBe(all.indexOf(address));
        }
      }
    }),
  );
});

test("what lies outside has no index", () => {
  const anyAddress = fc.oneof(
    fc.integer({ min: 0, max: IPV4_SPACE - 1 }),
    fc.integer({ min: 0x0a00_0000 - 3, max: 0x0a00_0000 + 60 }),
    fc.integer({ min: IPV4_SPACE - 60, max: IPV4_SPACE - 1 }),
  );
  const anyPort = fc.integer({ min: 0, max: 65_535 });
  fc.assert(
    fc.property(addresses, ports, anyAddress, anyPort, (addresses, ports, address, port) => {
      const place = list(addresses).indexOf(address);
      const portPlace = list(ports).indexOf(port);
      const expected = place < 0 || portPlace < 0 ? -1 : place * list(ports).length + portPlace;
      expect(probeIndex(buildSpace(addresses, ports), address, port)).toBe(expected);
    }),
  );
});

describe("limits", () => {
  const one = [{ first: 1, last: 1 }];

  test("no address or no port is nothing to scan", () => {
    expect(() => buildSpace([], one)).toThrow(expect.objectContaining({ code: "NOTHING_TO_SCAN" }));
    expect(() => buildSpace(one, [])).toThrow(expect.objectContaining({ code: "NOTHING_TO_SCAN" }));
  });

  test("all of IPv4 with every port just fits, and its last probe is found again", () => {
    const all = buildSpace([{ first: 0, last: IPV4_SPACE - 1 }], [{ first: 0, last: 65_535 }]);
    expect(all.size).toBe(2 ** 48);
    expect(probeIndex(all, IPV4_SPACE - 1, 65_535)).toBe(2 ** 48 - 1);
    expect(addressOfNumber(all, IPV4_SPACE - 1)).toBe(IPV4_SPACE - 1);
  });

  test("more is refused", () => {
    const tooMany = [{ first: 0, last: IPV4_SPACE }];
    expect(() => buildSpace(tooMany, [{ first: 0, last: 65_535 }])).toThrow(
      expect.objectContaining({ code: "SCOPE_TOO_LARGE" }),
    );
  });
});
