/** The rows that there were are carried over, whatever their addresses. */

import { afterEach, describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { formatAddressBytes } from "#shared/net/address-bytes.ts";
import { migrate } from "../migrate.ts";
import { openStore, type Session, type Store } from "../store.ts";
import { DATABASES } from "../testing/stores.ts";
import { MIGRATIONS } from "./all.ts";

const ADDRESSES = [
  "0.0.0.1",
  "10.0.0.255",
  "255.255.255.255",
  "::1",
  "1::",
  "2001:db8::1",
  "2001:db8:0:1:2:3:4:5",
  "fe80::a:b:c:d",
  "2001:db8:1:2:3:4:5:0",
  "1:0:0:2::3",
];

const open: Store[] = [];
afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
});

async function openBefore(url: string): Promise<Store> {
  const store = openStore(url);
  open.push(store);
  await migrate(
    store,
    MIGRATIONS.filter(({ version }) => version < 7),
  );
  return store;
}

async function fill({ db }: Session): Promise<void> {
  await sql`insert into scanners (id, name, description, rate_limit, binding_mode, created_by, created_at)
    values (5, 's', '', 0, 'none', 'test', 1)`.execute(db);
  await sql`insert into scans (id, name, status, targets, ports, engine, options, max_pps, probes, created_by, created_at)
    values (9, '', 'completed', '[]', '1', 'syn', '{}', 0, 1, 'test', 1234)`.execute(db);
  await sql`insert into vantages (id, key) values (3, 'scanner:5')`.execute(db);
  await sql`insert into jobs (id, scan_id, scanner_id, vantage_id, status, targets, probes, created_at, ended_at)
    values (7, 9, 5, 3, 'completed', '[]', 1, 1, 2)`.execute(db);
  for (const [i, address] of ADDRESSES.entries()) {
    await sql`insert into results (scan_id, scanner_id, address, protocol, port, state, reason, ttl, banner, first_seen, last_seen)
      values (9, 5, ${address}, ${i % 2 === 0 ? "tcp" : "udp"}, ${i + 1},
        ${["open", "closed", "filtered"][i % 3]}, 'r', 64, 'b', 10, 20)`.execute(db);
  }
}

describe.each(Object.entries(DATABASES))("results of the former schema on %s", (_, createDatabase) => {
  test("are there with their addresses as bytes, and counted", async () => {
    const store = await openBefore(await createDatabase());
    await store.transaction(fill);
    await migrate(store, MIGRATIONS);
    const rows = await store.run(({ db }) => db.selectFrom("results").selectAll().orderBy("port").execute());
    expect(rows.map(({ address }) => formatAddressBytes(address))).toEqual(ADDRESSES);
    expect(rows.map(({ protocol }) => protocol).slice(0, 2)).toEqual([6, 17]);
    expect(rows.map(({ state }) => state).slice(0, 3)).toEqual([3, 2, 1]);
    expect(rows[0]).toMatchObject({
      at: 1_234,
      scan_id: 9,
      vantage_id: 3,
      scanner_id: 5,
      ttl: 64,
      banner: "b",
      first_seen: 10,
      last_seen: 20,
    });
    const jobs = await store.run(({ db }) =>
      db.selectFrom("jobs").select(["stored_results", "found_open"]).execute(),
    );
    expect(jobs).toEqual([{ stored_results: ADDRESSES.length, found_open: 0 }]);
  });
});

/** Takes the place of the extension, which cannot be installed everywhere: notes how it is called. */
const STAND_IN = [
  `insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
    values (16000, 'timescaledb', 10, 2200, false, '2')`,
  `create table calls (what text)`,
  `create function create_hypertable(relation text, column_name text, chunk_time_interval bigint, create_default_indexes boolean)
    returns void language sql as 'insert into calls values (relation || '' by '' || column_name)'`,
  `create function set_integer_now_func(relation text, integer_now_func text)
    returns void language sql as 'insert into calls values (integer_now_func)'`,
];

test("with TimescaleDB in the database, results are a hypertable instead of partitions", async () => {
  const store = await openBefore(await DATABASES.PostgreSQL());
  await store.run(async ({ db }) => {
    for (const statement of STAND_IN) await sql.raw(statement).execute(db);
  });
  await store.transaction(fill);
  await migrate(
    store,
    MIGRATIONS.filter(({ version }) => version <= 7),
  );
  const found = await store.run(async ({ db }) => ({
    calls: (await sql<{ what: string }>`select what from calls`.execute(db)).rows,
    kind: (await sql<{ relkind: string }>`select relkind from pg_class where relname = 'results'`.execute(db))
      .rows,
    rows: (await db.selectFrom("results").select("scan_id").execute()).length,
  }));
  expect(found).toEqual({
    calls: [{ what: "results by at" }, { what: "portolan_results_now_ms" }],
    kind: [{ relkind: "r" }],
    rows: ADDRESSES.length,
  });
});
