import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { sql } from "kysely";
import { insertScanner } from "./scanners.ts";
import { AVERAGE_MS, averageStep, type StatsRetention, turnPartitions } from "./stats-history.ts";
import { openStore, readClock, type Session, type Store } from "./store.ts";
import { migrate } from "./migrate.ts";
import { MIGRATIONS } from "./migrations/all.ts";
import { createPostgresDatabase } from "./testing/postgres.ts";
import { describeOnBothDatabases } from "./testing/stores.ts";

// Days pass in steps of an hour.
setDefaultTimeout(30_000);

const DAY_MS = 86_400_000;
const RETENTION: StatsRetention = { samplesMs: 7 * DAY_MS, averagesMs: 90 * DAY_MS };

async function addScanners(store: Store, count: number): Promise<number[]> {
  return store.transaction(async (session) => {
    const ids: number[] = [];
    for (let index = 1; index <= count; index++) {
      const scanner = {
        name: `s${index}`,
        description: "",
        rate_limit: 0,
        binding_mode: "none",
        binding_value: null,
        created_by: "test",
      } as const;
      ids.push(await insertScanner(session, scanner));
    }
    return ids;
  });
}

/** A sample each minute, whose load is the minute's number. */
async function insertSamples(
  store: Store,
  scannerId: number,
  fromMs: number,
  minutes: number,
): Promise<void> {
  const rows = Array.from({ length: minutes }, (_, minute) => ({
    scanner_id: scannerId,
    at: fromMs + minute * 60_000,
    load_avg_1m: minute,
    load_avg_5m: null,
    load_avg_15m: null,
    memory_total_bytes: 1_000,
    memory_available_bytes: 100 + minute,
    network_rx_bytes: minute * 10,
    network_tx_bytes: null,
    num_cpus: 4,
  }));
  await store.run(({ db }) => db.insertInto("scanner_stats").values(rows).execute());
}

async function averageAll(store: Store, retention = RETENTION): Promise<number> {
  for (let steps = 0; steps < 10_000; steps++) {
    if (!(await store.transaction((session) => averageStep(session, retention)))) return steps;
  }
  throw new Error("the averages never came to an end");
}

async function count(store: Store, table: "scanner_stats" | "scanner_stats_5m"): Promise<number> {
  const rows = await store.run(({ db }) => db.selectFrom(table).select("at").execute());
  return rows.length;
}

function floorToAverage(ms: number): number {
  return ms - (ms % AVERAGE_MS);
}

describeOnBothDatabases("the history of metrics", (openTestStore) => {
  test("is averaged over five minutes, once they are over, and once only", async () => {
    const store = await openTestStore();
    const [scanner = 0] = await addScanners(store, 1);
    const startMs = floorToAverage(await store.run(readClock)) - 2 * AVERAGE_MS;
    await insertSamples(store, scanner, startMs, 12);
    store.dialect.shiftClock(60_000);
    await averageAll(store);
    await averageAll(store);
    const averages = await store.run(({ db }) =>
      db.selectFrom("scanner_stats_5m").selectAll().orderBy("at").execute(),
    );
    expect(averages.slice(0, 2)).toEqual([
      {
        scanner_id: scanner,
        at: startMs,
        samples: 5,
        load_avg_1m: 2,
        load_avg_5m: null,
        load_avg_15m: null,
        memory_total_bytes: 1_000,
        memory_available_bytes: 102,
        network_rx_bytes: 40,
        network_tx_bytes: null,
        num_cpus: 4,
      },
      expect.objectContaining({ at: startMs + AVERAGE_MS, samples: 5, load_avg_1m: 7, network_rx_bytes: 90 }),
    ]);
    expect(averages.length).toBeLessThanOrEqual(2);
    store.dialect.shiftClock(AVERAGE_MS);
    await averageAll(store);
    expect(await count(store, "scanner_stats_5m")).toBe(3);
  });

  test("of many scanners and a long stop is caught up with in steps", async () => {
    const store = await openTestStore();
    const scanners = await addScanners(store, 90);
    const startMs = floorToAverage(await store.run(readClock)) - 3 * 3_600_000;
    for (const scanner of scanners) await insertSamples(store, scanner, startMs, 180);
    store.dialect.shiftClock(60_000);
    const steps = await averageAll(store);
    expect(steps).toBeGreaterThan(6);
    expect(await count(store, "scanner_stats_5m")).toBe(90 * 36);
  });

  test("goes on where it was interrupted", async () => {
    const store = await openTestStore();
    const scanners = await addScanners(store, 60);
    const startMs = floorToAverage(await store.run(readClock)) - 3_600_000;
    for (const scanner of scanners) await insertSamples(store, scanner, startMs, 60);
    store.dialect.shiftClock(60_000);
    await store.transaction((session) => averageStep(session, RETENTION));
    const failing = store.transaction(async (session) => {
      await averageStep(session, RETENTION);
      throw new Error("killed");
    });
    await expect(failing).rejects.toThrow("killed");
    await averageAll(store);
    expect(await count(store, "scanner_stats_5m")).toBe(60 * 12);
  });

  test("ends: samples after their days, averages after theirs; nothing is lost before it is averaged", async () => {
    const store = await openTestStore();
    const short: StatsRetention = { samplesMs: DAY_MS, averagesMs: 7 * DAY_MS };
    const age = async (): Promise<void> => {
      await store.transaction((session) => turnPartitions(session, short));
      // SQLite deletes as it averages.
      store.dialect.shiftClock(AVERAGE_MS);
      await averageAll(store, short);
    };
    const [scanner = 0] = await addScanners(store, 1);
    const nowMs = await store.run(readClock);
    await insertSamples(store, scanner, floorToAverage(nowMs) - 3_600_000, 60);
    // Everything is too old at once, and nothing averaged yet.
    store.dialect.shiftClock(3 * DAY_MS);
    await store.transaction((session) => turnPartitions(session, short));
    expect(await count(store, "scanner_stats")).toBe(60);
    await averageAll(store, short);
    await age();
    expect(await count(store, "scanner_stats")).toBe(0);
    expect(await count(store, "scanner_stats_5m")).toBe(12);
    store.dialect.shiftClock(12 * DAY_MS);
    await age();
    expect(await count(store, "scanner_stats_5m")).toBe(0);
  });
});

function turn(store: Store): Promise<string[]> {
  return store.transaction((session) => turnPartitions(session, RETENTION));
}

describe("the history of metrics on PostgreSQL", () => {
  async function open(): Promise<Store> {
    const store = openStore(await createPostgresDatabase());
    await migrate(store, MIGRATIONS);
    return store;
  }

  async function partitionOf(session: Session, at: number): Promise<string | undefined> {
    const { rows } = await sql<{ name: string }>`
      select tableoid::regclass::text as name from scanner_stats where at = ${at}`.execute(session.db);
    return rows[0]?.name;
  }

  test("has partitions by day, made ahead once; samples lie in that of their day", async () => {
    const store = await open();
    const [scanner = 0] = await addScanners(store, 1);
    const nowMs = await store.run(readClock);
    const days = [0, 1, 2, 3].map((day) => `made scanner_stats_${compactDay(nowMs + day * DAY_MS)}`);
    expect((await turn(store)).slice(0, 4)).toEqual(days);
    expect(await turn(store)).toEqual([]);
    await insertSamples(store, scanner, nowMs, 1);
    expect(await store.run((session) => partitionOf(session, nowMs))).toBe(
      `scanner_stats_${compactDay(nowMs)}`,
    );
    await store.close();
  });

  test("takes a sample for which no partition is there, which moves when the partition is made", async () => {
    const store = await open();
    const [scanner = 0] = await addScanners(store, 1);
    await turn(store);
    const laterMs = (await store.run(readClock)) + 10 * DAY_MS;
    await insertSamples(store, scanner, laterMs, 1);
    expect(await store.run((session) => partitionOf(session, laterMs))).toBe("scanner_stats_default");
    store.dialect.shiftClock(8 * DAY_MS);
    await turn(store);
    expect(await store.run((session) => partitionOf(session, laterMs))).toBe(
      `scanner_stats_${compactDay(laterMs)}`,
    );
    expect(await count(store, "scanner_stats")).toBe(1);
    await store.close();
  });

  test("takes a sample that comes while its partition is being made", async () => {
    const url = await createPostgresDatabase();
    const [store, other] = [openStore(url), openStore(url)];
    await migrate(store, MIGRATIONS);
    const [scanner = 0] = await addScanners(store, 1);
    const nowMs = await store.run(readClock);
    let inserting: Promise<void> = Promise.resolve();
    await store.transaction(async (session) => {
      await turnPartitions(session, RETENTION);
      inserting = insertSamples(other, scanner, nowMs, 1);
      await untilSomeoneWaits(session);
    });
    await inserting;
    expect(await store.run((session) => partitionOf(session, nowMs))).toBe(
      `scanner_stats_${compactDay(nowMs)}`,
    );
    await Promise.all([store.close(), other.close()]);
  });

  test("drops whole partitions", async () => {
    const store = await open();
    await turn(store);
    const first = compactDay(await store.run(readClock));
    store.dialect.shiftClock(9 * DAY_MS);
    await turn(store);
    await averageAll(store);
    expect(await turn(store)).toContain(`dropped scanner_stats_${first}`);
    await store.close();
  });

  test("as hypertables lets TimescaleDB drop what is too old", async () => {
    const store = await open();
    // What the decision rests on is a table without partitions of its own kind, and what is called is drop_chunks.
    await store.run(async ({ db }) => {
      for (const table of ["scanner_stats", "scanner_stats_5m"]) {
        await sql`create table plain (like ${sql.table(table)})`.execute(db);
        await sql`drop table ${sql.table(table)} cascade`.execute(db);
        await sql`alter table plain rename to ${sql.table(table)}`.execute(db);
      }
      await sql`create function drop_chunks(hypertable regclass, older_than bigint) returns setof text language sql
        as 'select hypertable::text || '' before '' || older_than'`.execute(db);
    });
    await store.transaction((session) => averageStep(session, RETENTION));
    const nowMs = await store.run(readClock);
    const dropped = (await turn(store)).map((line) => /^dropped (\S+) before (\d+)$/.exec(line));
    expect(dropped.map((match) => match?.[1])).toEqual(["scanner_stats", "scanner_stats_5m"]);
    const [samplesMs, averagesMs] = dropped.map((match) => nowMs - Number(match?.[2]));
    expect(Math.round((samplesMs ?? 0) / DAY_MS)).toBe(7);
    expect(Math.round((averagesMs ?? 0) / DAY_MS)).toBe(90);
    await store.close();
  });

  test("is not waited for while someone else holds the table", async () => {
    const url = await createPostgresDatabase();
    const [store, other] = [openStore(url), openStore(url)];
    await migrate(store, MIGRATIONS);
    const begun = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const holding = other.transaction(async ({ db }) => {
      await sql`lock table scanner_stats in access share mode`.execute(db);
      await sql`lock table scanner_stats_default in access share mode`.execute(db);
      begun.resolve();
      await end.promise;
    });
    await begun.promise;
    await expect(turn(store)).rejects.toThrow("lock timeout");
    end.resolve();
    await holding;
    expect((await turn(store)).length).toBeGreaterThan(0);
    await Promise.all([store.close(), other.close()]);
  });
});

async function untilSomeoneWaits({ db }: Session): Promise<void> {
  for (;;) {
    const { rows } = await sql`select from pg_locks where not granted`.execute(db);
    if (rows.length > 0) return;
  }
}

function compactDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10).replaceAll("-", "");
}
