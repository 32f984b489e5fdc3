import { describe, expect, test } from "bun:test";
import { type Job, jobsResponseSchema, type ScanSummary } from "#shared/protocol/job.ts";
import { JOB_LEASE_MS, JOB_MAX_ATTEMPTS } from "#shared/protocol/limits.ts";
import { resultListSchema, scannerViewSchema } from "#shared/protocol/operator.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import {
  type Answer,
  errorCode,
  errorOf,
  TestControlPlane,
  type TestScanner,
} from "../../testing/control-plane.ts";

function found(address: string, port: number, more: object = {}): object {
  const observedAt = "2026-01-27T10:00:00.000Z";
  return { address, port, protocol: "tcp", state: "open", reason: "syn-ack", observedAt, ...more };
}

function summary(changes: Partial<ScanSummary> = {}): ScanSummary {
  return {
    partial: false,
    ended: "done",
    link: "packet",
    addresses: 16,
    ports: 81,
    probesPlanned: 1_296,
    probesCovered: 1_296,
    coverage: 1,
    packetsSent: 1_296,
    packetsReceived: 1,
    packetsRejected: 0,
    duplicates: 0,
    sendErrors: 0,
    kernelDrops: 0,
    open: 1,
    closed: 0,
    filtered: 1_295,
    hostsUnreachable: 0,
    durationMs: 10,
    ratePps: 1_000,
    ...changes,
  };
}

async function withJob(plane: TestControlPlane): Promise<{ scanner: TestScanner; job: Job }> {
  const scanner = await plane.addScanner("s1");
  await plane.startScan([scanner]);
  return { scanner, job: await plane.claim(scanner) };
}

async function results(plane: TestControlPlane, scanId: number) {
  return (await plane.operate("GET", `/api/scans/${scanId}/results`, resultListSchema)).results;
}

describeOnBothDatabases("a job", (openTestStore) => {
  test("goes from its claim to its end, and the scan with it", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1", { rateLimit: 500 });
    const scan = await plane.startScan([scanner], {
      targets: ["10.0.0.0/28"],
      exclude: ["10.0.0.8/29"],
      ports: "22,80-82,!81",
    });
    expect(scan).toMatchObject({ status: "planned", probes: 24, ports: "22,80,82" });
    const job = await plane.claim(scanner);
    expect(job).toMatchObject({
      scanId: scan.id,
      attempt: 1,
      targets: [{ addresses: ["10.0.0.0/29"], ports: "22,80,82" }],
      maxProbesPerSecond: 500,
      engine: "syn",
      options: { retries: 1, portTimeoutMs: 1_500, scanTimeoutSeconds: 3_600, reportStates: ["open"] },
    });
    expect((await plane.jobCall(scanner, job, "start")).body).toEqual({
      ok: true,
      cancel: false,
      maxProbesPerSecond: 500,
      scannerProbesPerSecond: 500,
    });
    expect(await plane.getScan(scan.id)).toMatchObject({ status: "running", startedAt: expect.any(String) });
    await plane.jobCall(scanner, job, "progress", { progressCount: 12, resultCount: 1, coverage: 0.5 });
    expect(await plane.getScan(scan.id)).toMatchObject({
      coverage: 0.5,
      jobs: [{ progressCount: 12, status: "running" }],
    });
    const banner = { banner: "SSH-2.0", ttl: 64 };
    await plane.jobCall(scanner, job, "results", { batch: 1, results: [found("10.0.0.1", 22, banner)] });
    const logs = [{ timestamp: "2026-01-27T10:00:00.000Z", level: "info", message: "half done" }];
    await plane.jobCall(scanner, job, "logs", { batch: 1, logs });
    const ended = await plane.jobCall(scanner, job, "complete", {
      status: "completed",
      resultCount: 1,
      summary: summary(),
    });
    expect(ended.status).toBe(200);
    expect(await plane.getScan(scan.id)).toMatchObject({
      status: "completed",
      coverage: 1,
      resultCount: 1,
      errorMessage: null,
      endedAt: expect.any(String),
      jobs: [{ status: "completed", resultCount: 1, summary: { packetsSent: 1_296 } }],
    });
    expect(await results(plane, scan.id)).toMatchObject([
      { address: "10.0.0.1", port: 22, banner: "SSH-2.0", ttl: 64 },
    ]);
    const logged = await plane.call("GET", `/api/scans/${scan.id}/logs`, {
      token: await plane.token("viewer"),
    });
    expect(logged.body).toMatchObject({ logs: [{ message: "half done", level: "info" }], nextCursor: null });
  });

  test("covers both families, and an IPv6 result is one row however its address is written", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const scan = await plane.startScan([scanner], {
      targets: ["2001:DB8:0::/126", "10.0.0-1.1", "2001:db8:0:0:0:0:0:a-2001:db8::c"],
      exclude: ["2001:db8::b", "2001:db9::/32"],
      ports: "ssh,80",
    });
    expect(scan).toMatchObject({ probes: (2 + 4 + 2) * 2, ports: "22,80" });
    const job = await plane.claim(scanner);
    expect(job.targets).toEqual([
      {
        addresses: ["10.0.0.1", "10.0.1.1", "2001:db8::/126", "2001:db8::a", "2001:db8::c"],
        ports: "22,80",
      },
    ]);
    const spellings = ["2001:db8::2", "2001:DB8::2", "2001:db8:0:0::0.0.0.2"];
    for (const [i, address] of spellings.entries()) {
      const batch = { batch: i + 1, results: [found(address, 22)] };
      expect((await plane.jobCall(scanner, job, "results", batch)).status).toBe(200);
    }
    expect(await results(plane, scan.id)).toMatchObject([{ address: "2001:db8::2", port: 22 }]);
    const outside = { batch: 4, results: [found("2001:db8::b", 22)] };
    expect((await plane.jobCall(scanner, job, "results", outside)).body).toMatchObject({
      error: {
        code: "INVALID_REQUEST",
        message: "2001:db8::b port 22/tcp is not among the job's targets",
      },
    });
    const filtered = await plane.operate(
      "GET",
      `/api/scans/${scan.id}/results?address=2001:DB8::0:2`,
      resultListSchema,
    );
    expect(filtered.results).toHaveLength(1);
  });

  test("takes a batch once, however often and at what time it arrives", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { scanner, job } = await withJob(plane);
    const batch = { batch: 1, results: [found("10.0.0.1", 22), found("10.0.0.2", 22)] };
    const again = Array.from({ length: 6 }, () => plane.jobCall(scanner, job, "results", batch));
    expect((await Promise.all(again)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await results(plane, job.scanId)).toHaveLength(2);
    const short = await plane.jobCall(scanner, job, "complete", { status: "completed", resultCount: 12 });
    expect([short.status, errorOf(short).details]).toEqual([409, { resultCount: 12, delivered: 2 }]);
    const complete = { status: "completed", resultCount: 2 };
    expect((await plane.jobCall(scanner, job, "complete", complete)).status).toBe(200);

    expect((await plane.jobCall(scanner, job, "results", batch)).status).toBe(200);
    expect((await plane.jobCall(scanner, job, "complete", complete)).status).toBe(200);
    for (const [what, body] of [
      ["results", { ...batch, batch: 2 }],
      ["complete", { status: "failed", resultCount: 2 }],
      ["start", {}],
      ["progress", { progressCount: 1, resultCount: 0 }],
    ] as const) {
      expect(errorCode(await plane.jobCall(scanner, job, what, body))).toBe("JOB_ENDED");
    }
    expect(await results(plane, job.scanId)).toHaveLength(2);
  });

  test("claimed by several polls of its scanner at once goes to one of them", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const others = await Promise.all(["s2", "s3"].map((name) => plane.addScanner(name)));
    await plane.startScan([scanner]);
    const polls = [scanner, ...others].flatMap((caller) =>
      Array.from({ length: 4 }, () => plane.poll(caller)),
    );
    const handed = await Promise.all(polls);
    expect(handed.slice(0, 4).flat()).toHaveLength(1);
    expect(handed.slice(4).flat()).toEqual([]);
  });

  test("two that end at the same time end their scan", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanners = await Promise.all(["s1", "s2", "s3"].map((name) => plane.addScanner(name)));
    const scan = await plane.startScan(scanners);
    const complete = { status: "completed", resultCount: 0, summary: summary() };
    const ends = scanners.map(async (scanner) =>
      plane.jobCall(scanner, await plane.claim(scanner), "complete", complete),
    );
    expect((await Promise.all(ends)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await plane.getScan(scan.id)).toMatchObject({ status: "completed", errorMessage: null });
  });

  test("whose lease ran out keeps it until it is handed on", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { scanner, job } = await withJob(plane);
    plane.store.dialect.shiftClock(JOB_LEASE_MS);
    expect((await plane.jobCall(scanner, job, "start")).status).toBe(200);
    expect(await plane.poll(scanner)).toEqual([]);
    plane.store.dialect.shiftClock(JOB_LEASE_MS);
    const second = await plane.claim(scanner);
    expect(second).toMatchObject({ jobId: job.jobId, attempt: 2 });
    const late = await plane.jobCall(scanner, job, "results", { batch: 1, results: [found("10.0.0.1", 22)] });
    expect([late.status, errorCode(late)]).toEqual([409, "JOB_NOT_YOURS"]);
    expect(await results(plane, job.scanId)).toEqual([]);
    expect((await plane.jobCall(scanner, second, "start")).status).toBe(200);
  });

  test("lost too often is failed by the sweeper, whichever replica sweeps", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { scanner, job } = await withJob(plane);
    plane.store.dialect.shiftClock(JOB_LEASE_MS);
    expect(await plane.services.sweeper.sweep()).toBe(0);
    for (let attempt = 2; attempt <= JOB_MAX_ATTEMPTS; attempt++) {
      await plane.claim(scanner);
      plane.store.dialect.shiftClock(JOB_LEASE_MS);
    }
    const swept = await Promise.all([plane.services.sweeper.sweep(), plane.services.sweeper.sweep()]);
    expect(swept.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(await plane.getScan(job.scanId)).toMatchObject({
      status: "failed",
      errorMessage: "s1: the scanner stopped answering, 3 times",
    });
  });

  test("is told to stop when its scan is cancelled, and ends when it says so", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const [running, idle] = [await plane.addScanner("running"), await plane.addScanner("idle")];
    const scan = await plane.startScan([running, idle]);
    const job = await plane.claim(running);
    const cancelled = await plane.call("POST", `/api/scans/${scan.id}/cancel`, {
      token: await plane.token("operator"),
    });
    expect(cancelled.body).toMatchObject({
      status: "planned",
      jobs: [{ status: "assigned" }, { status: "cancelled" }],
    });
    expect(await plane.poll(idle)).toEqual([]);
    expect((await plane.jobCall(running, job, "start")).body).toMatchObject({ cancel: true });
    await plane.jobCall(running, job, "results", { batch: 1, results: [found("10.0.0.1", 22)] });
    const end = {
      status: "cancelled",
      resultCount: 1,
      summary: summary({ partial: true, ended: "cancelled", coverage: 0.5 }),
    };
    await plane.jobCall(running, job, "complete", end);
    expect(await plane.getScan(scan.id)).toMatchObject({
      status: "cancelled",
      resultCount: 1,
      coverage: 0.25,
    });
  });

  test("whose scanner vanished while its scan is cancelled is ended by the sweeper", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { job } = await withJob(plane);
    await plane.call("POST", `/api/scans/${job.scanId}/cancel`, { token: await plane.token("operator") });
    expect(await plane.services.sweeper.sweep()).toBe(0);
    plane.store.dialect.shiftClock(JOB_LEASE_MS);
    expect(await plane.services.sweeper.sweep()).toBe(1);
    expect(await plane.getScan(job.scanId)).toMatchObject({ status: "cancelled" });
  });
});

describeOnSqlite("what a scanner tells about a job", (openTestStore) => {
  test("counts only for its own jobs, under the lease, and for jobs there are", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { scanner, job } = await withJob(plane);
    const other = await plane.addScanner("other");
    expect(errorCode(await plane.jobCall(other, job, "start"))).toBe("JOB_NOT_YOURS");
    const forged = { ...job, leaseId: crypto.randomUUID() };
    expect(errorCode(await plane.jobCall(scanner, forged, "start"))).toBe("JOB_NOT_YOURS");
    expect(errorCode(await plane.jobCall(scanner, { ...job, jobId: 999 }, "start"))).toBe("NOT_FOUND");
    expect(errorCode(await plane.jobCall(scanner, { ...job, jobId: 0 }, "start"))).toBe("INVALID_REQUEST");
  });

  test.each([
    ["address", found("10.0.0.99", 22), "10.0.0.99 port 22/tcp"],
    ["port", found("10.0.0.1", 8080), "10.0.0.1 port 8080/tcp"],
    ["protocol", found("10.0.0.1", 22, { protocol: "udp" }), "10.0.0.1 port 22/udp"],
  ])("is refused as a whole when an %s lies outside", async (_, outside, name) => {
    const plane = new TestControlPlane(await openTestStore());
    const { scanner, job } = await withJob(plane);
    const answer = await plane.jobCall(scanner, job, "results", {
      batch: 1,
      results: [found("10.0.0.1", 22), outside],
    });
    expect(answer.body).toMatchObject({
      error: { code: "INVALID_REQUEST", message: `${name} is not among the job's targets` },
    });
    expect(await results(plane, job.scanId)).toEqual([]);
    const corrected = { batch: 1, results: [found("10.0.0.1", 22)] };
    expect((await plane.jobCall(scanner, job, "results", corrected)).status).toBe(200);
    expect(await results(plane, job.scanId)).toHaveLength(1);
  });

  test.each([
    [
      "partial",
      summary({ partial: true, probesCovered: 648, coverage: 0.5, ended: "timed-out" }),
      "648 of 1296 probes were sent (timed-out)",
    ],
    [
      "not all covered",
      summary({ probesCovered: 1_295, coverage: 0.999 }),
      "1295 of 1296 probes were sent (done)",
    ],
  ])("is not called completed when it is %s", async (_, incomplete, why) => {
    const plane = new TestControlPlane(await openTestStore());
    const { scanner, job } = await withJob(plane);
    await plane.jobCall(scanner, job, "complete", {
      status: "completed",
      resultCount: 0,
      summary: incomplete,
    });
    expect(await plane.getScan(job.scanId)).toMatchObject({
      status: "failed",
      coverage: incomplete.coverage,
      errorMessage: `s1: incomplete: ${why}`,
    });
  });

  test("as failed fails the scan, with the reason", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { scanner, job } = await withJob(plane);
    await plane.jobCall(scanner, job, "complete", {
      status: "failed",
      resultCount: 0,
      errorMessage: "no route",
    });
    expect(await plane.getScan(job.scanId)).toMatchObject({ status: "failed", errorMessage: "s1: no route" });
  });

  test("is answered with the rate that counts now", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1", { rateLimit: 900 });
    await plane.startScan([scanner], { maxProbesPerSecond: 700 });
    const job = await plane.claim(scanner);
    expect(job.maxProbesPerSecond).toBe(700);
    await plane.operate("PUT", `/api/config/scanners/${scanner.id}`, scannerViewSchema, { rateLimit: 50 });
    expect((await plane.jobCall(scanner, job, "start")).body).toMatchObject({ maxProbesPerSecond: 50 });
  });
});

describe("a poll that waits", () => {
  describeOnSqlite("for work", (openTestStore) => {
    async function waitForSleepers(plane: TestControlPlane): Promise<void> {
      for (let turn = 0; turn < 1_000 && plane.clock.sleeping < 2; turn++) await new Promise(setImmediate);
      expect(plane.clock.sleeping).toBe(2);
    }

    function poll(
      plane: TestControlPlane,
      scanner: TestScanner,
      more: { signal?: AbortSignal } = {},
    ): Promise<Answer> {
      return plane.call("GET", "/scanner/jobs?wait=55", { key: scanner.key, ...more });
    }

    test("gets a job as soon as it is dispatched", async () => {
      const plane = new TestControlPlane(await openTestStore());
      const scanner = await plane.addScanner("s1");
      const waiting = poll(plane, scanner);
      await waitForSleepers(plane);
      await plane.startScan([scanner]);
      expect(jobsResponseSchema.parse((await waiting).body).jobs).toHaveLength(1);
      expect(plane.clock.sleeping).toBe(0);
    });

    test("finds what another replica dispatched", async () => {
      const store = await openTestStore();
      const [plane, replica] = [new TestControlPlane(store), new TestControlPlane(store)];
      const scanner = await plane.addScanner("s1");
      const waiting = poll(plane, scanner);
      await waitForSleepers(plane);
      await replica.startScan([scanner]);
      plane.clock.advance(1_000);
      expect(jobsResponseSchema.parse((await waiting).body).jobs).toHaveLength(1);
    });

    test("ends without jobs when its time is over, or the server stops", async () => {
      const plane = new TestControlPlane(await openTestStore());
      const scanner = await plane.addScanner("s1");
      const patient = poll(plane, scanner);
      await waitForSleepers(plane);
      plane.clock.advance(55_000);
      expect((await patient).body).toEqual({ jobs: [] });
      const interrupted = poll(plane, scanner);
      await waitForSleepers(plane);
      plane.services.bell.close();
      expect((await interrupted).body).toEqual({ jobs: [] });
      expect((await poll(plane, scanner)).body).toEqual({ jobs: [] });
    });

    test("claims nothing for a caller that is gone", async () => {
      const plane = new TestControlPlane(await openTestStore());
      const scanner = await plane.addScanner("s1");
      const caller = new AbortController();
      const gone = poll(plane, scanner, { signal: caller.signal });
      await waitForSleepers(plane);
      caller.abort();
      expect((await gone).body).toEqual({ jobs: [] });
      await plane.startScan([scanner]);
      expect(await plane.poll(scanner)).toHaveLength(1);
    });
  });
});
