import { expect, test } from "bun:test";
import { JOB_LEASE_MS, JOB_MAX_ATTEMPTS } from "#shared/protocol/limits.ts";
import { assert, asyncProperty, integer, record } from "fast-check";
import { findJob, insertJobs } from "./jobs.ts";
import { scannerVantage } from "./vantages.ts";
import { claimJobs, growProgress, listLostJobs, listScannersWithWork } from "./leases.ts";
import { insertScanner, setDisabled } from "./scanners.ts";
import { insertScan, requestCancel } from "./scans.ts";
import type { Store } from "./store.ts";
import { describeOnBothDatabases } from "./testing/stores.ts";

let names = 0;

async function addScanner(store: Store): Promise<number> {
  return store.run((session) =>
    insertScanner(session, {
      name: `scanner-${++names}`,
      description: "",
      rate_limit: 0,
      binding_mode: "none",
      binding_value: null,
      created_by: "test",
    }),
  );
}

/** A scan with so many jobs for the scanner. */
async function addScan(store: Store, scannerId: number, jobs: number): Promise<number> {
  return store.transaction(async (session) => {
    const scan_id = await insertScan(session, {
      name: "",
      targets: "[]",
      ports: "80",
      engine: "syn",
      options: "{}",
      max_pps: 0,
      probes: jobs,
      created_by: "test",
    });
    const job = {
      scan_id,
      vantageKey: scannerVantage(scannerId),
      scannerIds: [scannerId],
      targets: "[]",
      probes: 1,
    };
    await insertJobs(
      session,
      Array.from({ length: jobs }, () => job),
    );
    return scan_id;
  });
}

function claim(store: Store, scannerId: number, max: number) {
  return store.transaction((session) => claimJobs(session, scannerId, max, () => crypto.randomUUID()));
}

describeOnBothDatabases("claims", (openTestStore) => {
  test("made at the same time never get the same job, and leave none", async () => {
    const store = await openTestStore();
    const plan = record({
      jobs: integer({ min: 1, max: 12 }),
      claimers: integer({ min: 1, max: 8 }),
      max: integer({ min: 1, max: 4 }),
    });
    await assert(
      asyncProperty(plan, async ({ jobs, claimers, max }) => {
        const scannerId = await addScanner(store);
        const scanId = await addScan(store, scannerId, jobs);
        const claimed = [];
        for (let round = 0; round * max < jobs; round++) {
          const claims = Array.from({ length: claimers }, () => claim(store, scannerId, max));
          claimed.push(...(await Promise.all(claims)).flat());
        }
        expect(new Set(claimed.map(({ id }) => id)).size).toBe(claimed.length);
        expect(new Set(claimed.map(({ lease_id }) => lease_id)).size).toBe(claimed.length);
        expect(claimed).toHaveLength(jobs);
        expect(claimed.every((job) => job.scan_id === scanId && job.attempt === 1)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  test("get the oldest jobs first, and only the scanner's own", async () => {
    const store = await openTestStore();
    const [mine, other] = [await addScanner(store), await addScanner(store)];
    await addScan(store, other, 1);
    await addScan(store, mine, 3);
    expect(await store.run(listScannersWithWork)).toEqual(expect.arrayContaining([mine, other]));
    const first = await claim(store, mine, 2);
    const second = await claim(store, mine, 2);
    expect(first.map(({ id }) => id)).toEqual(first.map(({ id }) => id).toSorted((a, b) => a - b));
    expect([first.length, second.length]).toEqual([2, 1]);
    expect([...first, ...second].every((job) => job.scanner_id === mine)).toBe(true);
    expect(await store.run(listScannersWithWork)).toEqual([other]);
  });

  test("may take a job again when its lease ran out, up to the last attempt", async () => {
    const store = await openTestStore();
    const scannerId = await addScanner(store);
    await addScan(store, scannerId, 1);
    for (let attempt = 1; attempt <= JOB_MAX_ATTEMPTS; attempt++) {
      const [job] = await claim(store, scannerId, 1);
      expect(job?.attempt).toBe(attempt);
      expect(await claim(store, scannerId, 1)).toEqual([]);
      store.dialect.shiftClock(JOB_LEASE_MS);
    }
    expect(await claim(store, scannerId, 1)).toEqual([]);
    expect(await store.run(listLostJobs)).toHaveLength(1);
  });

  test("begin with no progress, whatever an earlier attempt reached", async () => {
    const store = await openTestStore();
    const scannerId = await addScanner(store);
    await addScan(store, scannerId, 1);
    const [job] = await claim(store, scannerId, 1);
    if (job === undefined) throw new Error("nothing was claimed");
    const progress = { progressCount: 10, resultCount: 3, coverage: 0.5 };
    await store.run((session) => growProgress(session, job.id, progress));
    await store.run((session) =>
      growProgress(session, job.id, { progressCount: 7, resultCount: 4, coverage: 0.1 }),
    );
    const grown = await store.run((session) => findJob(session, job.id));
    expect(grown).toMatchObject({ progress_count: 10, result_count: 4, coverage: 0.5 });
    store.dialect.shiftClock(JOB_LEASE_MS);
    expect(await claim(store, scannerId, 1)).toMatchObject([
      { progress_count: 0, result_count: 0, coverage: 0 },
    ]);
  });

  test("get no job of a scanner that was disabled in the meantime", async () => {
    const store = await openTestStore();
    const scannerId = await addScanner(store);
    await addScan(store, scannerId, 1);
    await store.run((session) => setDisabled(session, scannerId, true));
    expect(await claim(store, scannerId, 1)).toEqual([]);
    expect(await store.run(listScannersWithWork)).toEqual([]);
    await store.run((session) => setDisabled(session, scannerId, false));
    expect(await claim(store, scannerId, 1)).toHaveLength(1);
  });

  test("get no job of a scan that is to be cancelled", async () => {
    const store = await openTestStore();
    const scannerId = await addScanner(store);
    const scanId = await addScan(store, scannerId, 2);
    await claim(store, scannerId, 1);
    await store.run((session) => requestCancel(session, scanId));
    expect(await claim(store, scannerId, 1)).toEqual([]);
    expect(await store.run(listLostJobs)).toEqual([]);
    store.dialect.shiftClock(JOB_LEASE_MS);
    expect(await claim(store, scannerId, 1)).toEqual([]);
    expect(await store.run(listLostJobs)).toHaveLength(1);
  });
});
