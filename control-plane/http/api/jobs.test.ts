import { expect, test } from "bun:test";
import type { Job } from "#shared/protocol/job.ts";
import {
  type StuckJob,
  jobListItemSchema,
  jobListSchema,
  stuckJobListSchema,
} from "#shared/protocol/job-administration.ts";
import {
  JOB_LEASE_MS,
  STUCK_AGE_MS,
  STUCK_ASSIGNED_MS,
  STUCK_PENDING_MS,
  STUCK_SILENT_MS,
} from "#shared/protocol/limits.ts";
import { type ScanView, scanViewSchema } from "#shared/protocol/operator.ts";
import { leaveJobs } from "../../services/scanner-departure.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import { TestCatalogue } from "../../testing/catalogue.ts";
import {
  type Answer,
  errorCode,
  errorOf,
  TestControlPlane,
  type TestScanner,
} from "../../testing/control-plane.ts";

async function stuck(plane: TestControlPlane, query = ""): Promise<StuckJob[]> {
  return (await plane.operate("GET", `/api/jobs/stuck${query}`, stuckJobListSchema)).jobs;
}

async function repair(plane: TestControlPlane, id: number, what: string, body?: object): Promise<Answer> {
  const token = await plane.token("operator");
  return plane.call("POST", `/api/jobs/${id}/${what}`, { token, ...(body === undefined ? {} : { body }) });
}

/** A scan from a subnet that these scanners are assigned to: they stand for each other. */
async function scanByPool(plane: TestControlPlane, scanners: readonly TestScanner[]): Promise<ScanView> {
  const catalogue = new TestCatalogue(plane);
  const subnet = await catalogue.subnet("10.0.0.0/30", { scannerIds: scanners.map(({ id }) => id) });
  const ports = await catalogue.portList("22,80");
  const { id } = await catalogue.template({ subnetIds: [subnet.id], portListIds: [ports.id] });
  return plane.operate("POST", "/api/scans", scanViewSchema, { templateId: id });
}

async function heartbeat(plane: TestControlPlane, scanner: TestScanner): Promise<void> {
  await plane.call("POST", "/scanner/heartbeat", { key: scanner.key, body: {} });
}

function idOf(jobs: readonly { readonly id: number }[]): number {
  const [job] = jobs;
  if (job === undefined) throw new Error("there is no job");
  return job.id;
}

describeOnBothDatabases("a stuck job", (openTestStore) => {
  test("that nobody takes is put back into the pool, where it is claimed", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const scanner = await plane.addScanner("s1");
    const { jobs } = await plane.startScan([scanner]);
    expect(await stuck(plane)).toEqual([]);
    store.dialect.shiftClock(STUCK_PENDING_MS + 1_000);
    expect(await stuck(plane)).toMatchObject([
      { id: idOf(jobs), classes: ["stuck_pending"], repairs: ["redispatch", "fail"], vantage: "scanner:1" },
    ]);
    expect((await repair(plane, idOf(jobs), "redispatch")).body).toMatchObject({ status: "pending" });
    expect(await stuck(plane)).toEqual([]);
    expect((await plane.claim(scanner)).jobId).toBe(idOf(jobs));
  });

  test("that was assigned and does not run is redispatched; its former agent has it no more", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const scanner = await plane.addScanner("s1");
    await plane.startScan([scanner]);
    const job = await plane.claim(scanner);
    store.dialect.shiftClock(STUCK_ASSIGNED_MS + 1_000);
    expect(await stuck(plane)).toMatchObject([{ id: job.jobId, classes: ["stuck_assigned"] }]);
    await repair(plane, job.jobId, "redispatch");
    expect(errorCode(await plane.jobCall(scanner, job, "start"))).toBe("JOB_NOT_YOURS");
    const again = await plane.claim(scanner);
    expect([again.jobId, again.attempt]).toEqual([job.jobId, 2]);
    expect((await plane.jobCall(scanner, again, "start")).status).toBe(200);
  });

  test("of a silent scanner is reassigned to another of its pool, and to nobody else", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const [first, second, third] = [
      await plane.addScanner("s1"),
      await plane.addScanner("s2"),
      await plane.addScanner("s3"),
    ];
    const stranger = await plane.addScanner("s4");
    const scan = await scanByPool(plane, [first, second, third]);
    await heartbeat(plane, first);
    const job = await plane.claim(first);
    await plane.jobCall(first, job, "start");
    store.dialect.shiftClock(STUCK_SILENT_MS + 1_000);
    await plane.jobCall(first, job, "progress", { progressCount: 1, resultCount: 0 });
    expect(await stuck(plane)).toMatchObject([
      {
        id: job.jobId,
        classes: ["stuck_running", "no_heartbeat"],
        repairs: ["reassign", "fail"],
        scannerName: "s1",
      },
    ]);
    const wrong = await repair(plane, job.jobId, "reassign", { scannerId: stranger.id });
    expect(errorOf(wrong)).toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("'s2', 's3' only"),
    });
    expect((await repair(plane, job.jobId, "reassign", { scannerId: third.id })).status).toBe(200);
    expect(await plane.poll(first)).toEqual([]);
    expect(await plane.poll(second)).toEqual([]);
    expect((await plane.claim(third)).scanId).toBe(scan.id);
    expect(errorCode(await plane.jobCall(first, job, "progress", { progressCount: 2, resultCount: 0 }))).toBe(
      "JOB_NOT_YOURS",
    );
  });

  test("of a scanner that looks for itself can be failed, not reassigned; its results are kept", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const scanner = await plane.addScanner("s1");
    const scan = await plane.startScan([scanner]);
    const job = await plane.claim(scanner);
    await plane.jobCall(scanner, job, "start");
    const found = { address: "10.0.0.1", port: 22, protocol: "tcp", state: "open", reason: "syn-ack" };
    const observedAt = "2026-01-27T10:00:00.000Z";
    await plane.jobCall(scanner, job, "results", { batch: 1, results: [{ ...found, observedAt }] });
    const token = await plane.token("operator");
    await plane.call("POST", `/api/config/scanners/${scanner.id}/disable`, { token });
    expect(await stuck(plane)).toMatchObject([{ classes: ["scanner_disabled"], repairs: ["fail"] }]);
    expect(errorOf(await repair(plane, job.jobId, "reassign", {}))).toMatchObject({
      code: "CONFLICT",
      details: { classes: ["scanner_disabled"], repairs: ["fail"] },
    });
    expect((await repair(plane, job.jobId, "fail", { reason: "host is gone" })).body).toMatchObject({
      status: "failed",
      errorMessage: "failed by operator:test-operator: host is gone",
    });
    expect(await plane.getScan(scan.id)).toMatchObject({ status: "failed", resultCount: 1 });
    expect(
      errorCode(await plane.jobCall(scanner, job, "progress", { progressCount: 2, resultCount: 1 })),
    ).toBe("JOB_ENDED");
    expect(errorCode(await repair(plane, job.jobId, "fail", {}))).toBe("JOB_ENDED");
  });

  test("is one beyond 24 hours, one beyond three times its estimate, one whose scanner has moved or is outdated", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const scanner = await plane.addScanner("s1");
    const running = await startJob(plane, scanner);
    store.dialect.shiftClock(3 * 60_000 + 1_000);
    await plane.jobCall(scanner, running, "progress", { progressCount: 1, resultCount: 0 });
    expect(await stuck(plane, "?class=stuck_running")).toMatchObject([
      { id: running.jobId, repairs: ["fail"] },
    ]);
    expect(await stuck(plane, "?class=expired")).toEqual([]);
    store.dialect.shiftClock(STUCK_AGE_MS);
    expect(await stuck(plane, "?class=expired")).toMatchObject([{ id: running.jobId }]);
    for (const [code, name] of [
      ["IP_BINDING_VIOLATION", "binding_changed"],
      ["AGENT_OUTDATED", "agent_outdated"],
    ]) {
      await store.run(({ db }) => db.updateTable("scanners").set({ last_error_code: code }).execute());
      expect(await stuck(plane, `?class=${name}`)).toMatchObject([{ id: running.jobId }]);
    }
  });

  async function startJob(plane: TestControlPlane, scanner: TestScanner): Promise<Job> {
    await plane.startScan([scanner]);
    const job = await plane.claim(scanner);
    await plane.jobCall(scanner, job, "start");
    return job;
  }
});

describeOnSqlite("jobs", (openTestStore) => {
  test("are listed newest first, in pages, by status, scan and scanner", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const [one, two] = [await plane.addScanner("s1"), await plane.addScanner("s2")];
    const first = await plane.startScan([one, two], { name: "first", priority: 5 });
    await plane.startScan([one]);
    await plane.claim(two);
    const list = async (query: string) =>
      (await plane.operate("GET", `/api/jobs?${query}`, jobListSchema)).jobs.map(({ id }) => id);
    expect(await list("")).toEqual([3, 2, 1]);
    expect(await list("limit=1&cursor=3")).toEqual([2]);
    expect(await list("status=assigned")).toEqual([2]);
    expect(await list(`scanId=${first.id}`)).toEqual([2, 1]);
    expect(await list(`scannerId=${one.id}&status=pending`)).toEqual([3, 1]);
    const { jobs } = await plane.operate("GET", `/api/jobs?scanId=${first.id}`, jobListSchema);
    expect(jobs[0]).toMatchObject({
      scanName: "first",
      priority: 5,
      probes: 1_296,
      estimateSeconds: expect.any(Number),
    });
  });

  test("that are not stuck are not repaired, and viewers repair nothing", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const { jobs } = await plane.startScan([scanner]);
    for (const [what, body] of [["redispatch"], ["reassign", {}], ["fail", {}]] as const) {
      const answer = await repair(plane, idOf(jobs), what, body);
      expect(errorOf(answer)).toMatchObject({
        code: "CONFLICT",
        message: expect.stringContaining("not stuck"),
      });
      expect((await repair(plane, 99, what, body)).status).toBe(404);
      const token = await plane.token("viewer");
      const asViewer = { token, ...(body === undefined ? {} : { body }) };
      expect((await plane.call("POST", `/api/jobs/${idOf(jobs)}/${what}`, asViewer)).status).toBe(403);
    }
    expect(await plane.claim(scanner)).toMatchObject({ jobId: idOf(jobs) });
  });

  test("stuck by the hundreds are shown in pages", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const scanner = await plane.addScanner("s1");
    await plane.startScan([scanner], { targets: ["10.0.0.0/16"], ports: "1-100", maxProbesPerSecond: 100 });
    store.dialect.shiftClock(STUCK_PENDING_MS + 1_000);
    const seen: number[] = [];
    let cursor: number | null = 0;
    while (cursor !== null) {
      const page: { jobs: StuckJob[]; nextCursor: number | null } = await plane.operate(
        "GET",
        `/api/jobs/stuck?limit=300&cursor=${cursor}`,
        stuckJobListSchema,
      );
      seen.push(...page.jobs.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen.length).toBeGreaterThan(600);
    expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
  });
});

describeOnBothDatabases("a pool of scanners", (openTestStore) => {
  test("shares one vantage point: a job lost with its agent is taken by another, three times in all", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const [first, second] = [await plane.addScanner("s1"), await plane.addScanner("s2")];
    const scan = await scanByPool(plane, [first, second]);
    for (const [attempt, scanner] of [first, second, first].entries()) {
      expect(await plane.claim(scanner)).toMatchObject({ scanId: scan.id, attempt: attempt + 1 });
      expect(await plane.poll(scanner === first ? second : first)).toEqual([]);
      store.dialect.shiftClock(JOB_LEASE_MS);
    }
    expect(await plane.poll(second)).toEqual([]);
    expect(await plane.services.sweeper.sweep()).toBe(1);
    expect(await plane.getScan(scan.id)).toMatchObject({
      status: "failed",
      errorMessage: "s1: the scanner stopped answering, 3 times",
    });
  });

  test("loses a deleted member: the others do its jobs, and the last one's fail", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const [first, second] = [await plane.addScanner("s1"), await plane.addScanner("s2")];
    const scan = await scanByPool(plane, [first, second]);
    const job = await plane.claim(first);
    await plane.store.transaction((session) => leaveJobs(session, first.id));
    expect(errorCode(await plane.jobCall(first, job, "start"))).toBe("JOB_NOT_YOURS");
    expect((await plane.claim(second)).jobId).toBe(job.jobId);
    await plane.store.transaction((session) => leaveJobs(session, second.id));
    expect(await plane.getScan(scan.id)).toMatchObject({
      status: "failed",
      errorMessage: "s2: the scanner was deleted",
    });
  });

  test("does the jobs of a disabled member; when none is left they fail, after a while and with the reason", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const [first, second] = [await plane.addScanner("s1"), await plane.addScanner("s2")];
    const scan = await scanByPool(plane, [first, second]);
    const token = await plane.token("operator");
    const disable = (scanner: TestScanner) =>
      plane.call("POST", `/api/config/scanners/${scanner.id}/disable`, { token });
    await disable(first);
    store.dialect.shiftClock(2 * STUCK_PENDING_MS);
    expect(await plane.services.sweeper.sweep()).toBe(0);
    await disable(second);
    expect(await plane.services.sweeper.sweep()).toBe(0);
    store.dialect.shiftClock(STUCK_PENDING_MS);
    expect(await plane.services.sweeper.sweep()).toBe(1);
    expect(await plane.getScan(scan.id)).toMatchObject({
      status: "failed",
      errorMessage: "s1: no scanner is left that may do it: 's1' is disabled, 's2' is disabled",
    });
  });

  test("forgets for whom a job was kept when that one may not work", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const [first, second] = [await plane.addScanner("s1"), await plane.addScanner("s2")];
    await scanByPool(plane, [first, second]);
    const token = await plane.token("operator");
    await heartbeat(plane, first);
    const job = await plane.claim(first);
    await plane.call("POST", `/api/config/scanners/${first.id}/disable`, { token });
    const reassigned = await repair(plane, job.jobId, "reassign", {});
    expect(jobListItemSchema.parse(reassigned.body).status).toBe("pending");
    await plane.call("POST", `/api/config/scanners/${first.id}/enable`, { token });
    expect(await plane.poll(first)).toEqual([]);
    await plane.call("POST", `/api/config/scanners/${second.id}/disable`, { token });
    await plane.services.sweeper.sweep();
    expect((await plane.claim(first)).jobId).toBe(job.jobId);
  });
});
