import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { bytesOf, hex, PROTOCOL_CODES, STATE_CODES } from "./endpoint-key.ts";
import { mergeResults, type Observation, type Observer } from "./result-merge.ts";
import { listResults, type ResultRow } from "./results.ts";
import type { Store } from "./store.ts";
import { describeOnBothDatabases } from "./testing/stores.ts";

const text = fc.option(fc.string({ maxLength: 3, unit: "grapheme-ascii" }), { nil: null });

/** Few endpoints and few values, so that observations meet. */
const observation: fc.Arbitrary<Observation> = fc.record({
  address: fc.constantFrom(bytesOf("10.0.0.1"), bytesOf("2001:db8::1")),
  protocol: fc.constantFrom(...Object.values(PROTOCOL_CODES)),
  port: fc.integer({ min: 1, max: 2 }),
  state: fc.constantFrom(...Object.values(STATE_CODES)),
  reason: fc.constantFrom("syn-ack", "reset", "no-response"),
  ttl: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
  details: fc.option(
    fc.record({
      service: text,
      product: text,
      version: text,
      cpe: text,
      banner: text,
      mac_address: text,
      mac_vendor: text,
    }),
    { nil: undefined },
  ),
  seenAtMs: fc.integer({ min: 1, max: 3 }),
});

let scans = 0;

/** Results of a scan of their own; the rows name scans that nobody made, which no rule of theirs minds. */
function newObserver(): Observer {
  return { scanId: ++scans, at: 1_700_000_000_000, vantageId: 1, scannerId: 1 };
}

async function listAll(store: Store, observer: Observer): Promise<ResultRow[]> {
  return store.run((session) => listResults(session, observer, undefined, 10_000));
}

/** The rows that these batches lead to, and how many were said to be new. */
async function rowsAfter(store: Store, batches: readonly (readonly Observation[])[]) {
  const observer = newObserver();
  let added = 0;
  for (const batch of batches) {
    added += await store.transaction((session) => mergeResults(session, observer, batch));
  }
  const rows = await listAll(store, observer);
  expect(added).toBe(rows.length);
  return rows.map((row) => Object.assign({}, row, { scan_id: 0, address: Uint8Array.from(row.address) }));
}

describeOnBothDatabases("merging results", (openTestStore) => {
  test("gives the same rows in any order, any batches and with any repeats", async () => {
    const store = await openTestStore();
    const plan = fc.array(observation, { minLength: 1, maxLength: 12 }).chain((observations) =>
      fc.record({
        observations: fc.constant(observations),
        repeats: fc.array(fc.constantFrom(...observations), { maxLength: 6 }),
        order: fc.shuffledSubarray(observations, { minLength: observations.length }),
        size: fc.integer({ min: 1, max: 12 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(plan, async ({ observations, repeats, order, size }) => {
        const batches = [repeats];
        for (let i = 0; i < order.length; i += size) batches.push(order.slice(i, i + size));
        expect(await rowsAfter(store, batches)).toEqual(await rowsAfter(store, [observations]));
      }),
      { numRuns: 30 },
    );
  });

  test("takes the latest state, keeps what only an earlier observation knew, and the whole time", async () => {
    const store = await openTestStore();
    const base = { address: bytesOf("10.0.0.1"), protocol: PROTOCOL_CODES.tcp, port: 80 };
    const nothing = { product: null, version: null, cpe: null, mac_address: null, mac_vendor: null };
    const rows = await rowsAfter(store, [
      [
        {
          ...base,
          state: STATE_CODES.closed,
          reason: "reset",
          ttl: null,
          seenAtMs: 9,
          details: { ...nothing, service: null, banner: "hello" },
        },
      ],
      [
        {
          ...base,
          state: STATE_CODES.open,
          reason: "syn-ack",
          ttl: 64,
          seenAtMs: 1,
          details: { ...nothing, service: "http", banner: null },
        },
      ],
    ]);
    expect(rows).toMatchObject([
      {
        state: STATE_CODES.closed,
        reason: "reset",
        ttl: 64,
        service: "http",
        banner: "hello",
        first_seen: 1,
        last_seen: 9,
      },
    ]);
  });

  test("stores a batch of any allowed size, in the order of its addresses", async () => {
    const store = await openTestStore();
    const rows = Array.from({ length: 5_000 }, (_, i): Observation => ({
      address: Uint8Array.of(10, 0, (4_999 - i) >> 8, (4_999 - i) & 255),
      protocol: PROTOCOL_CODES.tcp,
      port: 80,
      state: STATE_CODES.open,
      reason: 'quoted "\\ {text}, NULL',
      ttl: null,
      details: undefined,
      seenAtMs: 1,
    }));
    const observer = newObserver();
    expect(await store.transaction((session) => mergeResults(session, observer, rows))).toBe(5_000);
    const stored = await listAll(store, observer);
    expect(stored.map(({ address }) => hex(address))).toEqual(
      rows.toReversed().map(({ address }) => hex(address)),
    );
    expect(stored[0]?.reason).toBe('quoted "\\ {text}, NULL');
  });
});
