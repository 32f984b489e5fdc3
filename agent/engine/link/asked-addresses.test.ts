/** From an answering address to its places in the neighbour table. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { wordsOfIpv4, wordsOfIpv6 } from "../targets/address-words.ts";
import { addressAfter, AskedAddresses } from "./asked-addresses.ts";

describe("AskedAddresses", () => {
  test("finds each address of each stretch at its own place, and no other address", () => {
    const stretches = fc.uniqueArray(fc.nat(40), { maxLength: 10 }).map((blocks) => {
      let firstHop = 0;
      return blocks.map((block) => {
        const count = 1 + (block % 5);
        const stretch = { start: BigInt(block) * 8n + (0xfd00n << 112n), count, firstHop };
        firstHop += count;
        return stretch;
      });
    });
    fc.assert(
      fc.property(stretches, (stretches) => {
        const hosts = stretches.map(({ start, count, firstHop }) => ({
          first: wordsOfIpv6(start),
          count,
          firstHop,
        }));
        const asked = new AskedAddresses([], hosts);
        for (let address = 0n; address < 41n * 8n; address++) {
          const full = address + (0xfd00n << 112n);
          const holder = stretches.find(({ start, count }) => full >= start && full < start + BigInt(count));
          const hop = holder === undefined ? [] : [holder.firstHop + Number(full - holder.start)];
          expect(asked.hopsOf(wordsOfIpv6(full))).toEqual(hop);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("a gateway of two routes that is a target too has three places", () => {
    const gateway = wordsOfIpv4(0x0a01_0002);
    const asked = new AskedAddresses(
      [
        { first: gateway, count: 1, firstHop: 0 },
        { first: gateway, count: 1, firstHop: 1 },
      ],
      [{ first: wordsOfIpv4(0x0a01_0001), count: 4, firstHop: 2 }],
    );
    expect(asked.hopsOf(gateway)).toEqual([0, 1, 3]);
    expect(asked.hopsOf(wordsOfIpv4(0x0a01_0005))).toEqual([]);
  });
});

describe("addressAfter", () => {
  test("carries from the last word into the one before", () => {
    const first = 0x2001_0db8_0000_0000_ffff_ffff_ffff_fff0n;
    expect(addressAfter(wordsOfIpv6(first - 0xffff_ffff_0000_0000n), 0x20)).toEqual(
      wordsOfIpv6(first - 0xffff_ffff_0000_0000n + 0x20n),
    );
    expect(addressAfter(wordsOfIpv4(0xc0a8_00ff), 1)).toEqual(wordsOfIpv4(0xc0a8_0100));
  });
});
