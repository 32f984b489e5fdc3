/** A job run for real, by connections to this host: what its end says is what is on disk. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "#shared/clock.ts";
import { PortolanError } from "#shared/errors.ts";
import { Log } from "#shared/log.ts";
import type { Job, JobCompleteRequest, PortResult } from "#shared/protocol/job.ts";
import { PROGRESS_INTERVAL_MS } from "#shared/protocol/limits.ts";
import { ControlPlaneClient } from "../client/control-plane.ts";
import { JobSpool } from "../spool/spool.ts";
import { Bell } from "./bell.ts";
import { JobRunner } from "./job-runner.ts";
import { ScannerRate } from "./scanner-rate.ts";
import { FakeControlPlane } from "./testing/fake-control-plane.ts";

const LEASE = "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5";

/** A disk that takes results only when it is let. */
class SlowSpool extends JobSpool {
  readonly asked = Promise.withResolvers<void>();
  readonly disk = Promise.withResolvers<void>();

  override async append(results: readonly PortResult[]): Promise<void> {
    this.asked.resolve();
    await this.disk.promise;
    await super.append(results);
  }
}

/** Turns of the progress report come as fast as they can; nothing else sleeps by this clock. */
const hastyClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms === PROGRESS_INTERVAL_MS ? 5 : ms, signal),
};

let folder: string;
let plane: Bun.Server<undefined>;
let listener: Bun.TCPSocketListener;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "portolan-runner-"));
  plane = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => Response.json({ ok: true, cancel: false, maxProbesPerSecond: 20 }),
  });
  listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
});

afterEach(async () => {
  listener.stop(true);
  await plane.stop(true);
  rmSync(folder, { recursive: true, force: true });
});

/** One open port among closed ones, slow enough that it is stored while the scan still runs. */
function jobFor(port: number): Job {
  return {
    jobId: 7,
    scanId: 3,
    leaseId: LEASE,
    leaseExpiresAt: "2026-01-27T10:30:00.000Z",
    attempt: 1,
    targets: [{ addresses: ["127.0.0.1"], ports: `${port},1-9` }],
    maxProbesPerSecond: 20,
    engine: "connect",
    options: { retries: 0, portTimeoutMs: 500, scanTimeoutSeconds: 60, reportStates: ["open"] },
  };
}

const workers = {
  sender: () => new Worker(new URL("../engine/sender.worker.ts", import.meta.url)),
  receiver: () => new Worker(new URL("../engine/receiver.worker.ts", import.meta.url)),
};

function runOn(server: string, job: Job, spool: JobSpool): Promise<void> {
  const log = new Log(() => undefined, "INFO", systemClock.nowMs);
  const client = new ControlPlaneClient({ server, apiKey: "ptl_key_x", ca: undefined });
  const services = { client, clock: hastyClock, log, signal: new AbortController().signal };
  const tools = { bell: new Bell(), workers, rate: new ScannerRate(0, log) };
  return new JobRunner(services, job, spool, tools).run();
}

/**
 * Runs the job on a disk that stalls at the first result and goes on after the scan has ended.
 * @returns what the job's end says, and how many results are on disk
 */
async function runOnSlowDisk(
  settle: (disk: PromiseWithResolvers<void>) => void,
): Promise<{ completion: JobCompleteRequest; stored: number }> {
  const spool = new SlowSpool(join(folder, "spool", `job-7-${LEASE}`), 7, LEASE);
  const scanEnded = Promise.withResolvers<void>();
  const log = new Log(
    ({ event }) => {
      if (event === "scan.ended") scanEnded.resolve();
    },
    "INFO",
    systemClock.nowMs,
  );
  const server = `http://127.0.0.1:${plane.port}`;
  const services = {
    client: new ControlPlaneClient({ server, apiKey: "ptl_key_x", ca: undefined }),
    clock: hastyClock,
    log,
    signal: new AbortController().signal,
  };
  const tools = { bell: new Bell(), workers, rate: new ScannerRate(0, log) };
  const running = new JobRunner(services, jobFor(listener.port), spool, tools).run();
  await Promise.all([spool.asked.promise, scanEnded.promise]);
  // Were the end written without waiting for the disk, it would be there before this call has gone round.
  await services.client.startJob(7, LEASE);
  await services.client.startJob(7, LEASE);
  settle(spool.disk);
  await running;

  let stored = 0;
  for (let item = spool.next(); item !== undefined; item = spool.next()) {
    if (item.kind === "completion") return { completion: item.completion, stored };
    stored += item.results.length;
    spool.acknowledge(item);
  }
  throw new Error("the job has no end");
}

test("results that are still on their way to the disk are counted before the job is called completed", async () => {
  const { completion, stored } = await runOnSlowDisk((disk) => disk.resolve());
  expect(completion).toMatchObject({ status: "completed", resultCount: 1 });
  expect(stored).toBe(1);
});

test("results that the disk refuses make the job fail, however late", async () => {
  const full = new PortolanError("SPOOL_NOT_WRITABLE", "the disk is full");
  const { completion, stored } = await runOnSlowDisk((disk) => disk.reject(full));
  expect(completion).toMatchObject({ status: "failed", errorMessage: "the disk is full", resultCount: 0 });
  expect(stored).toBe(0);
});

test("at the end of its time a job stops, keeps what it found, and says what it did not cover", async () => {
  using plane = new FakeControlPlane();
  const { job } = plane.add({
    targets: [
      { addresses: ["127.0.0.1"], ports: `${listener.port}` },
      { addresses: ["127.0.0.1"], ports: "1-1000" },
      { addresses: ["127.0.0.2"], ports: "1-500" },
    ],
    maxProbesPerSecond: 20,
    engine: "connect",
    options: { scanTimeoutSeconds: 1 },
  });
  const spool = new JobSpool(
    join(folder, "spool", `job-${job.jobId}-${job.leaseId}`),
    job.jobId,
    job.leaseId,
  );
  await runOn(plane.url, job, spool);

  const batch = spool.next();
  expect(batch).toMatchObject({ kind: "batch", results: [{ port: listener.port }] });
  if (batch !== undefined) spool.acknowledge(batch);
  expect(spool.next()).toMatchObject({
    kind: "completion",
    completion: {
      status: "failed",
      errorMessage: expect.stringMatching(/^timed out after 1 s; \d\.\d % of the probes were sent$/),
      resultCount: 1,
      summary: { ended: "timed-out", partial: true, probesPlanned: 1_501, open: 1 },
    },
  });
  const { logs } = plane.heard.get(job.leaseId) ?? { logs: [] };
  expect(logs).toContainEqual(expect.stringMatching(/^warning: 90 % of the time limit of 1 s is used/));
});

test("a job that this agent cannot do fails, and says why", async () => {
  using plane = new FakeControlPlane();
  const { job } = plane.add({ targets: [{ addresses: ["127.0.0.1"], ports: "U:53" }], engine: "connect" });
  const spool = new JobSpool(
    join(folder, "spool", `job-${job.jobId}-${job.leaseId}`),
    job.jobId,
    job.leaseId,
  );
  await runOn(plane.url, job, spool);
  expect(spool.next()).toMatchObject({
    completion: { status: "failed", errorMessage: expect.stringContaining("UDP"), summary: { coverage: 0 } },
  });
});
