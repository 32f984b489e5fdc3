import { expect, setDefaultTimeout, test } from "bun:test";
import { sql } from "kysely";
import { retentionSchema } from "#shared/protocol/retention.ts";
import { describeOnBothDatabases, describeOnPostgres } from "../../store/testing/stores.ts";
import { errorOf, TestControlPlane } from "../../testing/control-plane.ts";
import { changeTexts, endpointsOf, scanOnce } from "../../testing/scan-round.ts";

setDefaultTimeout(60_000);

const DAY_MS = 86_400_000;
const PATH = "/api/config/retention";

describeOnBothDatabases("retention", (openTestStore) => {
  test("is for ever unless set, kept, and checked", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const forEver = { resultsDays: null, logsDays: null, changesDays: null };
    const metrics = { metricsDays: 7, metricAveragesDays: 90 };
    expect(await plane.operate("GET", PATH, retentionSchema)).toEqual({ ...forEver, ...metrics });
    expect(await plane.operate("PUT", PATH, retentionSchema, { resultsDays: 30 })).toMatchObject({
      resultsDays: 30,
      logsDays: null,
    });
    expect(await plane.operate("PUT", PATH, retentionSchema, { logsDays: 7 })).toMatchObject({
      resultsDays: 30,
      logsDays: 7,
    });
    expect(await plane.operate("PUT", PATH, retentionSchema, forEver)).toEqual({ ...forEver, ...metrics });
    expect(await plane.operate("PUT", PATH, retentionSchema, { metricsDays: 2 })).toMatchObject({
      metricsDays: 2,
      metricAveragesDays: 90,
    });
    expect(await plane.services.retentionRules.ofMetrics()).toEqual({
      samplesMs: 2 * DAY_MS,
      averagesMs: 90 * DAY_MS,
    });
    for (const body of [
      { metricsDays: null },
      { resultsDays: 0 },
      { resultsDays: "30" },
      { days: 3 },
      { logsDays: 1.5 },
    ]) {
      const answer = await plane.call("PUT", PATH, { token: await plane.token("operator"), body });
      expect([answer.status, errorOf(answer).code]).toEqual([400, "INVALID_REQUEST"]);
    }
    const viewer = { token: await plane.token("viewer"), body: { resultsDays: 1 } };
    expect((await plane.call("PUT", PATH, viewer)).status).toBe(403);
  });

  test("takes what is too old, and nothing else", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const net = { targets: ["10.0.0.1"], ports: "22,80" };
    const old = await scanOnce(plane, scanner, net, [{ address: "10.0.0.1", port: 22 }]);
    const changed = await scanOnce(plane, scanner, net, [
      { address: "10.0.0.1", port: 22 },
      { address: "10.0.0.1", port: 80 },
    ]);
    await plane.store.run(({ db }) =>
      db
        .insertInto("scan_logs")
        .values({
          scan_id: old.id,
          job_id: old.jobs[0]?.id ?? 0,
          scanner_id: scanner.id,
          at: 1,
          level: "info",
          message: "x",
        })
        .execute(),
    );
    await plane.operate("PUT", PATH, retentionSchema, { resultsDays: 30, logsDays: 30, changesDays: 30 });
    expect(await plane.services.retentionRules.purge()).toBe(0);
    plane.store.dialect.shiftClock(29 * DAY_MS);
    const young = await scanOnce(plane, scanner, net, [{ address: "10.0.0.1", port: 80 }]);
    plane.store.dialect.shiftClock(2 * DAY_MS);
    await plane.services.retentionRules.purge();
    const left = await plane.store.run(async ({ db }) => ({
      results: await db.selectFrom("results").select("scan_id").distinct().execute(),
      logs: await db.selectFrom("scan_logs").select("id").execute(),
      batches: await db.selectFrom("job_batches").select("job_id").execute(),
    }));
    expect(left).toMatchObject({ results: [{ scan_id: young.id }], logs: [], batches: [{}] });
    expect(await changeTexts(plane)).toEqual(["port_closed 10.0.0.1:22/tcp open>closed"]);
    // What is known at present does not come from results.
    expect(await endpointsOf(plane)).toHaveLength(2);
    expect((await plane.getScan(changed.id)).resultCount).toBe(2);
    expect(await plane.services.retentionRules.purge()).toBe(0);
  });

  test("leaves a scan that has not ended", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    await plane.startScan([scanner], { targets: ["10.0.0.1"], ports: "22" });
    const job = await plane.claim(scanner);
    const observedAt = "2026-01-27T10:00:00.000Z";
    const result = {
      address: "10.0.0.1",
      port: 22,
      protocol: "tcp",
      state: "open",
      reason: "syn-ack",
      observedAt,
    };
    await plane.jobCall(scanner, job, "results", { batch: 1, results: [result] });
    await plane.operate("PUT", PATH, retentionSchema, { resultsDays: 1 });
    plane.store.dialect.shiftClock(100 * DAY_MS);
    await plane.services.retentionRules.purge();
    const rows = await plane.store.run(({ db }) => db.selectFrom("results").select("scan_id").execute());
    expect(rows).toHaveLength(1);
  });
});

describeOnPostgres("results on PostgreSQL", (openTestStore) => {
  test("lie in partitions by time, which are made ahead and dropped whole", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const scanner = await plane.addScanner("s1");
    const partitions = async () => {
      const { rows } = await store.run(({ db }) =>
        sql<{ name: string; rows: number }>`
          select child.relname as name, (xpath('/row/c/text()', query_to_xml('select count(*) as c from ' || child.relname, false, true, '')))[1]::text::bigint as rows
          from pg_inherits join pg_class child on child.oid = inhrelid
          where inhparent = to_regclass('results') order by child.relname`.execute(db),
      );
      return rows;
    };
    expect(await partitions()).toEqual([{ name: "results_default", rows: 0 }]);
    await scanOnce(plane, scanner, { targets: ["10.0.0.1"], ports: "22" }, [
      { address: "10.0.0.1", port: 22 },
    ]);
    await plane.services.retentionRules.purge();
    const made = await partitions();
    expect(made.map(({ rows }) => rows)).toEqual([1, 0, 0]);
    await plane.operate("PUT", PATH, retentionSchema, { resultsDays: 1 });
    store.dialect.shiftClock(60 * DAY_MS);
    await plane.services.retentionRules.purge();
    expect((await partitions()).map(({ name }) => name)).not.toContain(made[0]?.name);
  });
});
