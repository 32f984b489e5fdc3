import { describe, expect, test } from "bun:test";
import { Log, type LogEntry } from "#shared/log.ts";
import { migrate } from "../store/migrate.ts";
import { MIGRATIONS } from "../store/migrations/all.ts";
import { openStore, type Store } from "../store/store.ts";
import { createPostgresDatabase } from "../store/testing/postgres.ts";
import { describeOnBothDatabases } from "../store/testing/stores.ts";
import { TestControlPlane } from "../testing/control-plane.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { StatsMaintenance } from "./stats-maintenance.ts";

const DAY_MS = 86_400_000;
const RETENTION = { samplesMs: 7 * DAY_MS, averagesMs: 90 * DAY_MS };

function maintenance(store: Store, logged: LogEntry[] = []): StatsMaintenance {
  const clock = new FakeClock();
  const log = new Log((entry) => logged.push(entry), "DEBUG", clock.nowMs);
  return new StatsMaintenance(store, clock, log, async () => RETENTION);
}

describeOnBothDatabases("looking after the history of metrics", (openTestStore) => {
  test("averages what heartbeats brought, and has nothing to do after that", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const body = { metrics: { loadAvg1m: 0.5, numCpus: 4 } };
    expect((await plane.call("POST", "/scanner/heartbeat", { key: scanner.key, body })).status).toBe(200);
    const stats = maintenance(plane.store);
    plane.store.dialect.shiftClock(600_000);
    expect(await stats.maintain()).toBeGreaterThan(0);
    expect(await stats.maintain()).toBe(0);
    const averages = await plane.store.run(({ db }) =>
      db.selectFrom("scanner_stats_5m").select(["scanner_id", "samples", "load_avg_1m"]).execute(),
    );
    expect(averages).toEqual([{ scanner_id: scanner.id, samples: 1, load_avg_1m: 0.5 }]);
  });
});

describe("replicas on one PostgreSQL", () => {
  test("share the work: each partition is made once", async () => {
    const url = await createPostgresDatabase();
    const stores = [openStore(url), openStore(url), openStore(url)];
    for (const store of stores) await migrate(store, MIGRATIONS);
    const logged: LogEntry[] = [];
    await Promise.all(stores.map((store) => maintenance(store, logged).maintain()));
    const made = logged.map(({ message }) => message);
    expect(made).toHaveLength(6);
    expect(new Set(made).size).toBe(6);
    for (const store of stores) await store.close();
  });
});
