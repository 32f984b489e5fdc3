/** From an answering address to its places in the neighbour table. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { addressSetOf } from "#shared/net/address-set.ts";
import { wordsOfIpv4, wordsOfIpv6 } from "../targets/address-words.ts";
import { stretchesOf } from "../targets/stretches.ts";
import { AskedAddresses } from "./asked-addresses.ts";
import { newWayTable, type WayRun } from "./way-table.ts";

const FIRST = 0xfd00n << 112n;

/** Up to five addresses in every eighth place; the runs are one block each, every other one on this link. */
const someBlocks = fc
  .uniqueArray(fc.nat(40), { minLength: 1, maxLength: 10 })
  .map((blocks) => blocks.toSorted((a, b) => a - b));

function blockOf(block: number): { readonly first: bigint; readonly count: number } {
  return { first: FIRST + BigInt(block) * 8n, count: 1 + (block % 5) };
}

describe("AskedAddresses", () => {
  test("finds each address on the link at its own place, and no other address", () => {
    fc.assert(
      fc.property(someBlocks, (blocks) => {
        const ranges = blocks.map(blockOf);
        const stretches = stretchesOf(
          addressSetOf(
            [],
            ranges.map(({ first, count }) => ({ first, last: first + BigInt(count) - 1n })),
          ),
        );
        let hops = 0;
        const runs = ranges.map(({ count }, i): WayRun => {
          hops += count;
          return { count, route: i % 2, firstHop: hops - count, hopStep: 1 };
        });
        const here = runs.flatMap(({ route }, run) => (route === 0 ? [run] : []));
        const asked = new AskedAddresses(6, [], { stretches, ways: newWayTable(runs) }, here);

        const expected = new Map<bigint, number>();
        for (const [i, { first, count }] of ranges.entries()) {
          if (i % 2 === 1) continue;
          for (let n = 0; n < count; n++) expected.set(first + BigInt(n), (runs[i]?.firstHop ?? 0) + n);
        }
        for (let address = FIRST; address < FIRST + 41n * 8n; address++) {
          const hop = expected.get(address);
          expect(asked.hopsOf(wordsOfIpv6(address))).toEqual(hop === undefined ? [] : [hop]);
        }
        const places = [...asked.stretches()].flatMap(({ firstHop, count }) =>
          Array.from({ length: count }, (_, n) => firstHop + n),
        );
        expect(places).toEqual([...expected.values()]);
      }),
      { numRuns: 20 },
    );
  });

  test("a gateway of two routes that is a target too has three places, and is asked first", () => {
    const gateway = wordsOfIpv4(0x0a01_0002);
    const gateways = [0, 1].map((firstHop) => ({ first: gateway, count: 1, firstHop }));
    const stretches = stretchesOf(addressSetOf([{ first: 0x0a01_0001, last: 0x0a01_0004 }], []));
    const ways = newWayTable([{ count: 4, route: 0, firstHop: 2, hopStep: 1 }]);
    const asked = new AskedAddresses(4, gateways, { stretches, ways }, [0]);
    expect(asked.hopsOf(gateway)).toEqual([0, 1, 3]);
    expect(asked.hopsOf(wordsOfIpv4(0x0a01_0005))).toEqual([]);
    expect([...asked.stretches()].map(({ firstHop }) => firstHop)).toEqual([0, 1, 2]);
  });
});
