import { expect, test } from "bun:test";
import {
  array,
  assert,
  asyncProperty,
  constant,
  constantFrom,
  integer,
  option,
  record,
  shuffledSubarray,
  string,
} from "fast-check";
import { listResults, mergeResults, type NewResult, type ResultRow } from "./results.ts";
import { insertScanner } from "./scanners.ts";
import { insertScan } from "./scans.ts";
import type { Store } from "./store.ts";
import { describeOnBothDatabases } from "./testing/stores.ts";

const text = option(string({ maxLength: 3, unit: "grapheme-ascii" }), { nil: null });

/** Few endpoints and few values, so that observations meet. */
const observation = record({
  address: constantFrom("10.0.0.1", "10.0.0.2"),
  protocol: constantFrom("tcp" as const, "udp" as const),
  port: integer({ min: 1, max: 2 }),
  state: constantFrom("open" as const, "closed" as const, "filtered" as const),
  reason: constantFrom("syn-ack", "reset", "no-response"),
  ttl: option(integer({ min: 1, max: 3 }), { nil: null }),
  service: text,
  product: text,
  version: text,
  cpe: text,
  banner: text,
  mac_address: text,
  mac_vendor: text,
  seenAtMs: integer({ min: 1, max: 3 }),
}).map(seenOnce);

function seenOnce<T extends { readonly seenAtMs: number }>({ seenAtMs, ...fields }: T) {
  return { ...fields, first_seen: seenAtMs, last_seen: seenAtMs };
}

async function addScan(store: Store): Promise<Owner> {
  return store.transaction(async (session) => {
    const scan_id = await insertScan(session, {
      name: "",
      targets: "[]",
      ports: "1",
      engine: "syn",
      options: "{}",
      max_pps: 0,
      probes: 1,
      created_by: "test",
    });
    const scanner_id = await insertScanner(session, {
      name: `scanner-${scan_id}`,
      description: "",
      rate_limit: 0,
      binding_mode: "none",
      binding_value: null,
      created_by: "test",
    });
    return { scan_id, scanner_id };
  });
}

interface Owner {
  readonly scan_id: number;
  readonly scanner_id: number;
}

type Observation = Omit<NewResult, keyof Owner>;

function ownedBy(owner: Owner): (row: Observation) => NewResult {
  return (row) => ({ ...row, ...owner });
}

/** All of a row but what names it. */
function comparable(row: ResultRow): string {
  return JSON.stringify({ ...row, id: 0, scan_id: 0, scanner_id: 0 });
}

/** The rows that these batches lead to, on a scan of their own. */
async function rowsAfter(store: Store, batches: readonly (readonly Observation[])[]) {
  const owner = await addScan(store);
  for (const batch of batches) {
    await store.transaction((session) => mergeResults(session, batch.map(ownedBy(owner))));
  }
  const page = { limit: 1_000, after: 0 };
  const rows = await store.run((session) => listResults(session, owner.scan_id, {}, page));
  return rows.map(comparable).toSorted((a, b) => a.localeCompare(b));
}

describeOnBothDatabases("merging results", (openTestStore) => {
  test("gives the same rows in any order, any batches and with any repeats", async () => {
    const store = await openTestStore();
    const plan = array(observation, { minLength: 1, maxLength: 12 }).chain((observations) =>
      record({
        observations: constant(observations),
        repeats: array(constantFrom(...observations), { maxLength: 6 }),
        order: shuffledSubarray(observations, { minLength: observations.length }),
        size: integer({ min: 1, max: 12 }),
      }),
    );
    await assert(
      asyncProperty(plan, async ({ observations, repeats, order, size }) => {
        const batches = [repeats];
        for (let i = 0; i < order.length; i += size) batches.push(order.slice(i, i + size));
        expect(await rowsAfter(store, batches)).toEqual(await rowsAfter(store, [observations]));
      }),
      { numRuns: 60 },
    );
  });

  test("takes the latest state, keeps what only an earlier observation knew, and the whole time", async () => {
    const store = await openTestStore();
    const base = { address: "10.0.0.1", protocol: "tcp", port: 80 } as const;
    const early = {
      ...base,
      state: "open",
      reason: "syn-ack",
      ttl: 64,
      service: "http",
      first_seen: 1,
      last_seen: 1,
    };
    const late = { ...base, state: "closed", reason: "reset", banner: "hello", first_seen: 9, last_seen: 9 };
    const nothing = { product: null, version: null, cpe: null, mac_address: null, mac_vendor: null };
    const rows = await rowsAfter(store, [
      [{ ...nothing, ttl: null, service: null, ...late, state: "closed" }],
      [{ ...nothing, banner: null, ...early, state: "open" }],
    ]);
    expect(rows.map((row): unknown => JSON.parse(row))).toMatchObject([
      {
        state: "closed",
        reason: "reset",
        ttl: 64,
        service: "http",
        banner: "hello",
        first_seen: 1,
        last_seen: 9,
      },
    ]);
  });

  test("stores a batch of any allowed size", async () => {
    const store = await openTestStore();
    const rows = Array.from({ length: 5_000 }, (_, i) => ({
      address: `10.0.${i >> 8}.${i & 255}`,
      protocol: "tcp" as const,
      port: 80,
      state: "open" as const,
      reason: "syn-ack",
      first_seen: 1,
      last_seen: 1,
    }));
    const owner = await addScan(store);
    await store.transaction((session) => mergeResults(session, rows.map(ownedBy(owner))));
    const page = { limit: 10_000, after: 0 };
    expect(await store.run((session) => listResults(session, owner.scan_id, {}, page))).toHaveLength(5_000);
  });
});
