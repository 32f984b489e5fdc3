import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { FakeClock } from "../testing/fake-clock.ts";
import {
  compareEndpoints,
  comparePorts,
  type EndpointKey,
  parseKey,
  PROTOCOL_CODES,
} from "../store/endpoint-key.ts";
import { PAGE_TIME_MS, searchPage, type SearchedRows } from "./search-page.ts";

interface Row extends EndpointKey {
  readonly fits: boolean;
}

const row: fc.Arbitrary<Row> = fc.record({
  vantage_id: fc.integer({ min: 1, max: 3 }),
  address: fc.tuple(fc.constant(10), fc.nat(2), fc.nat(2), fc.nat(9)).map((bytes) => Uint8Array.from(bytes)),
  protocol: fc.constantFrom(...Object.values(PROTOCOL_CODES)),
  port: fc.integer({ min: 1, max: 3 }),
  fits: fc.boolean(),
});
const rows = fc
  .uniqueArray(row, { comparator: (a, b) => compareEndpoints(a, b) === 0, maxLength: 80 })
  .map((all) => all.toSorted(compareEndpoints));

/** As the store has them. Parts are as long as `part` says, and each takes as much time as half a page has. */
function searchIn(all: readonly Row[], part: number, clock: FakeClock): SearchedRows<Row> {
  const of = (vantageId: number): Row[] => all.filter(({ vantage_id }) => vantage_id === vantageId);
  return {
    list: async (vantageId, { after, upTo }, limit) => {
      clock.advance(PAGE_TIME_MS / 2);
      return of(vantageId)
        .filter((one) => after === undefined || comparePorts(one, after) > 0)
        .filter((one) => upTo === undefined || comparePorts(one, upTo) <= 0)
        .filter(({ fits }) => fits)
        .slice(0, limit);
    },
    portAfter: async (vantageId, after) =>
      of(vantageId).filter((one) => after === undefined || comparePorts(one, after) > 0)[part - 1],
  };
}

test("pages hold every row that fits, once and in order, however short they are cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 1, max: 10 }),
      async (all, limit, part) => {
        const clock = new FakeClock();
        const found: Row[] = [];
        let cursor: string | null = "";
        for (let pages = 0; cursor !== null; pages++) {
          expect(pages).toBeLessThan(300);
          const page: Awaited<ReturnType<typeof searchPage<Row>>> = await searchPage(
            clock,
            limit,
            parseKey(cursor),
            [1, 2, 3],
            searchIn(all, part, clock),
          );
          expect(page.rows.length).toBeLessThanOrEqual(limit);
          found.push(...page.rows);
          cursor = page.nextCursor;
        }
        expect(found).toEqual(all.filter(({ fits }) => fits));
      },
    ),
  );
});

test("a page that has taken its time ends short, and the next one goes on", async () => {
  const clock = new FakeClock();
  const all = Array.from({ length: 100 }, (_, i): Row => ({
    vantage_id: 1,
    address: Uint8Array.of(10, 0, 0, i),
    protocol: PROTOCOL_CODES.tcp,
    port: 80,
    fits: i === 99,
  }));
  const page = await searchPage(clock, 10, undefined, [1], searchIn(all, 10, clock));
  expect(page).toEqual({ rows: [], nextCursor: "1.0a000013.6.80" });
});
