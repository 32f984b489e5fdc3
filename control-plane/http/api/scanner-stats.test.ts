import { expect, test } from "bun:test";
import { type ScannerStats, scannerStatsSchema } from "#shared/protocol/scanner-stats.ts";
import { readClock } from "../../store/store.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import { errorCode, errorOf, TestControlPlane, type TestScanner } from "../../testing/control-plane.ts";

const HOUR_MS = 3_600_000;

async function beat(plane: TestControlPlane, scanner: TestScanner, metrics: object): Promise<void> {
  const answer = await plane.call("POST", "/scanner/heartbeat", { key: scanner.key, body: { metrics } });
  expect(answer.status).toBe(200);
}

/** Moves the database's clock into the middle of a step, so that what comes together stays in one. */
async function enterStep({ store }: TestControlPlane, stepMs: number): Promise<void> {
  const nowMs = await store.run(readClock);
  store.dialect.shiftClock(stepMs - (nowMs % stepMs) + stepMs / 2);
}

function read(plane: TestControlPlane, id: number, query = ""): Promise<ScannerStats> {
  return plane.operate("GET", `/api/scanners/${id}/stats${query}`, scannerStatsSchema);
}

describeOnBothDatabases("a scanner's metrics over time", (openTestStore) => {
  test("are averaged in steps; of counters the highest is taken; what was not told is null", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const [scanner, other] = [await plane.addScanner("s1"), await plane.addScanner("s2")];
    await beat(plane, other, { loadAvg1m: 99 });
    const large = 2 ** 45;
    await enterStep(plane, 2 * HOUR_MS);
    await beat(plane, scanner, { loadAvg1m: 1, memoryAvailableBytes: large, networkRxBytes: 10, numCpus: 4 });
    await beat(plane, scanner, {
      loadAvg1m: 2.5,
      memoryAvailableBytes: large + 1,
      networkRxBytes: 30,
      numCpus: 4,
    });
    plane.store.dialect.shiftClock(3 * HOUR_MS);
    await beat(plane, scanner, { loadAvg1m: 4 });
    const stats = await read(plane, scanner.id, "?step=7200");
    expect(stats).toMatchObject({ scannerId: scanner.id, stepSeconds: 7_200 });
    expect(stats.points.reduce((sum, { samples }) => sum + samples, 0)).toBe(3);
    expect(stats.points.length).toBe(2);
    for (const { at } of stats.points) expect(Date.parse(at) % 7_200_000).toBe(0);
    expect(stats.points).toMatchObject([
      {
        samples: 2,
        loadAvg1m: 1.75,
        loadAvg5m: null,
        memoryAvailableBytes: large + 0.5,
        networkRxBytes: 30,
        networkTxBytes: null,
        numCpus: 4,
      },
      { samples: 1, loadAvg1m: 4, numCpus: null },
    ]);
  });

  test("are those from `from` to before `to`; unset, of the last day", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    for (const load of [1, 2, 3]) {
      await beat(plane, scanner, { loadAvg1m: load });
      plane.store.dialect.shiftClock(13 * HOUR_MS);
    }
    const loads = (stats: ScannerStats) => stats.points.map(({ loadAvg1m }) => loadAvg1m);
    const lastDay = await read(plane, scanner.id);
    expect(loads(lastDay)).toEqual([3]);
    expect(lastDay.stepSeconds).toBe(300);
    const toMs = Date.parse(lastDay.to);
    const query = (fromMs: number, untilMs: number) =>
      `?from=${new Date(fromMs).toISOString()}&to=${new Date(untilMs).toISOString()}&step=60`;
    expect(loads(await read(plane, scanner.id, query(toMs - 27 * HOUR_MS, toMs - 20 * HOUR_MS)))).toEqual([
      2,
    ]);
    expect(loads(await read(plane, scanner.id, query(toMs - 96 * HOUR_MS, toMs - 72 * HOUR_MS)))).toEqual([]);
  });
});

describeOnBothDatabases("metrics whose heartbeats are forgotten", (openTestStore) => {
  test("are read from their averages, by how many heartbeats each is of; and none counts twice", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    await enterStep(plane, 2 * HOUR_MS);
    await beat(plane, scanner, { loadAvg1m: 7 });
    const { to } = await read(plane, scanner.id);
    const windowMs = Date.parse(to) - (Date.parse(to) % 300_000);
    const nothing = {
      load_avg_5m: null,
      load_avg_15m: null,
      memory_total_bytes: null,
      memory_available_bytes: null,
      network_rx_bytes: null,
      network_tx_bytes: null,
      num_cpus: null,
    };
    const average = (at: number, samples: number, load: number | null) => ({
      ...nothing,
      scanner_id: scanner.id,
      at,
      samples,
      load_avg_1m: load,
    });
    const oldMs = windowMs - (windowMs % 7_200_000) - 7_200_000;
    await plane.store.run(({ db }) =>
      db
        .insertInto("scanner_stats_5m")
        .values([
          average(oldMs, 1, 1),
          average(oldMs + 300_000, 3, 5),
          average(oldMs + 600_000, 2, null),
          // Of the heartbeat that is kept too.
          average(windowMs, 1, 7),
        ])
        .execute(),
    );
    const until = new Date(Date.parse(to) + 600_000).toISOString();
    const { points } = await read(plane, scanner.id, `?to=${until}&step=7200`);
    expect(points.map(({ samples, loadAvg1m }) => [samples, loadAvg1m])).toEqual([
      [6, 4],
      [1, 7],
    ]);
  });
});

describeOnSqlite("a scanner's metrics over time", (openTestStore) => {
  test.each([
    ["?step=0", "step"],
    ["?step=1", "take a step of 44 s or more"],
    ["?from=yesterday", "from"],
    ["?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from: must be before to"],
  ])("are not read with %s", async (query, why) => {
    const plane = new TestControlPlane(await openTestStore());
    const { id } = await plane.provision("s1");
    const answer = await plane.call("GET", `/api/scanners/${id}/stats${query}`, {
      token: await plane.token("viewer"),
    });
    expect([answer.status, errorCode(answer)]).toEqual([400, "INVALID_REQUEST"]);
    expect(errorOf(answer).message).toContain(why);
  });

  test("of no scanner are not found", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const answer = await plane.call("GET", "/api/scanners/7/stats", { token: await plane.token("viewer") });
    expect(errorCode(answer)).toBe("NOT_FOUND");
  });
});
