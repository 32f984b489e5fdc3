/** The whole daemon beside a control plane of a few lines: jobs side by side, by connections to this host. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "#shared/clock.ts";
import { Log } from "#shared/log.ts";
import { HEARTBEAT_INTERVAL_MS, PROGRESS_INTERVAL_MS } from "#shared/protocol/limits.ts";
import { ControlPlaneClient } from "../client/control-plane.ts";
import type { WorkerFactory } from "../engine/engine-worker.ts";
import { runDaemon } from "./daemon.ts";
import { FakeControlPlane, type HeardJob, type JobWish } from "./testing/fake-control-plane.ts";

/** Heartbeats and progress come as fast as they can; other sleeps take their time. */
const hastyClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => {
    const isTurn = ms === PROGRESS_INTERVAL_MS || (ms <= HEARTBEAT_INTERVAL_MS && ms > 50_000);
    return systemClock.sleep(isTurn ? 5 : ms, signal);
  },
};

const engine: WorkerFactory = {
  sender: () => new Worker(new URL("../engine/sender.worker.ts", import.meta.url)),
  receiver: () => new Worker(new URL("../engine/receiver.worker.ts", import.meta.url)),
};

let stateDir: string;
let plane: FakeControlPlane;
let listener: Bun.TCPSocketListener;
let daemons: Daemon[];

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "portolan-daemon-"));
  plane = new FakeControlPlane();
  listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  daemons = [];
});

afterEach(async () => {
  for (const daemon of daemons) await daemon.stop();
  plane[Symbol.dispose]();
  listener.stop(true);
  rmSync(stateDir, { recursive: true, force: true });
});

class Daemon {
  readonly said: string[] = [];
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;

  constructor(maxConcurrentScans: number, workers = engine, clock = hastyClock) {
    const { signal } = this.stopping;
    this.running = runDaemon(
      {
        client: new ControlPlaneClient({ server: plane.url, apiKey: "ptl_key_x", ca: undefined, signal }),
        clock,
        log: new Log(({ message }) => this.said.push(message), "INFO", clock.nowMs),
        signal,
      },
      {
        stateDir,
        capabilities: ["connect"],
        workers,
        maxRatePps: 0,
        maxConcurrentScans,
        onStart: () => undefined,
        onReady: () => undefined,
      },
    );
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }
}

function startDaemon(...options: ConstructorParameters<typeof Daemon>): Daemon {
  const daemon = new Daemon(...options);
  daemons.push(daemon);
  return daemon;
}

/** Would take hours. Finds one open port, sooner or later. */
function endless(wish: Partial<JobWish> = {}): HeardJob {
  return plane.add({
    targets: [{ addresses: ["127.0.0.1"], ports: "1-65535" }],
    maxProbesPerSecond: 5,
    engine: "connect",
    ...wish,
  });
}

/** One open port, and nothing else to ask. */
function short(wish: Partial<JobWish> = {}): HeardJob {
  return endless({ targets: [{ addresses: ["127.0.0.1"], ports: `${listener.port}` }], ...wish });
}

async function until(is: () => boolean): Promise<void> {
  while (!is()) await Bun.sleep(5);
}

/** Waits until the job has sent more than it has now. */
async function goesOn({ progress }: HeardJob): Promise<void> {
  const before = progress.at(-1) ?? 0;
  await until(() => (progress.at(-1) ?? 0) > before);
}

test("asks for as many jobs as it has places, and for nothing while all are taken", async () => {
  const [first, second, third] = [endless(), endless(), short()];
  startDaemon(2);
  await Promise.all([goesOn(first), goesOn(second)]);
  // Both have told how far they are, several times: time enough for a third.
  expect([plane.polls, third.hasStarted]).toEqual([[2], false]);

  first.cancel = true;
  await until(() => third.completion !== undefined);
  expect(first.completion?.status).toBe("cancelled");
  expect(third).toMatchObject({
    completion: { status: "completed", resultCount: 1 },
    results: [{ port: listener.port, state: "open" }],
  });
  await goesOn(second);
  expect(second.completion).toBeUndefined();
  expect(plane.polls.slice(0, 2)).toEqual([2, 1]);
});

test("heartbeats come whatever the scans do", async () => {
  const jobs = [endless(), endless()];
  startDaemon(2);
  await Promise.all(jobs.map(goesOn));
  const before = plane.heartbeats;
  await until(() => plane.heartbeats > before + 2);
});

test("what the control plane says about one job limits all of them, and those that come", async () => {
  const [first] = [endless({ maxProbesPerSecond: 0 }), endless({ maxProbesPerSecond: 0 })];
  plane.scannerProbesPerSecond = 40;
  const daemon = startDaemon(2);
  const limited = (ratePps: number): string => `All jobs together are now limited to ${ratePps} probes/s`;
  await until(() => daemon.said.includes(limited(40)));
  await goesOn(first);
  plane.scannerProbesPerSecond = 20;
  await until(() => daemon.said.includes(limited(20)));
});

test("told to stop, it ends all jobs, keeps what they found, and delivers it after the next start", async () => {
  const targets = [
    { addresses: ["127.0.0.1"], ports: `${listener.port}` },
    { addresses: ["127.0.0.2"], ports: "1-65535" },
  ];
  const jobs = [1, 2, 3].map(() => endless({ targets }));
  plane.takesNoResults = true;
  const daemon = startDaemon(3);
  // What the first target has is found before the second is begun.
  await Promise.all(jobs.map(({ progress }) => until(() => (progress.at(-1) ?? 0) > 1)));
  await daemon.stop();
  expect(daemon.said.at(-1)).toBe("Agent stopped");
  expect(jobs.flatMap(({ results }) => results)).toEqual([]);

  plane.takesNoResults = false;
  const again = startDaemon(3);
  await until(() => jobs.every(({ results }) => results.length > 0));
  await again.stop();
  for (const { results, completion } of jobs) {
    expect(results).toMatchObject([{ port: listener.port, state: "open" }]);
    expect(completion).toBeUndefined();
  }
});

test("what does not end when it is told to is left behind", async () => {
  /** Never says that it has ended. */
  const deaf = URL.createObjectURL(new Blob(["setInterval(() => undefined, 1000)"]));
  const threads: Worker[] = [];
  const start = (): Worker => {
    const worker = new Worker(deaf);
    threads.push(worker);
    return worker;
  };
  const job = endless();
  const quick: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 20), signal) };
  const daemon = startDaemon(1, { sender: start, receiver: start }, quick);
  await until(() => job.progress.length > 0);
  await daemon.stop();
  expect(daemon.said.at(-1)).toBe(`Agent stopped without waiting for job ${job.job.jobId}`);
  for (const thread of threads) thread.terminate();
  URL.revokeObjectURL(deaf);
});

test("a job that is handed out again runs once: its former claim ends without a word", async () => {
  const former = endless({ jobId: 7 });
  startDaemon(2);
  await goesOn(former);
  const again = endless({ jobId: 7 });
  await goesOn(again);
  const told = former.progress.length;
  again.cancel = true;
  await until(() => again.completion !== undefined);
  expect(former.completion).toBeUndefined();
  // One report may have been on its way.
  expect(former.progress.length).toBeLessThanOrEqual(told + 1);
});

test("of more jobs than it asked for, the most urgent goes first", async () => {
  const jobs = [0, 10, 5].map((priority) => short({ priority }));
  plane.mostPerPoll = 3;
  startDaemon(1);
  await until(() => jobs.every(({ completion }) => completion !== undefined));
  expect(plane.started).toEqual(
    [10, 5, 0].map((priority) => jobs.find(({ job }) => job.priority === priority)?.job.jobId ?? 0),
  );
});

test("a disk that takes no job lets none fall: its place rests", async () => {
  const daemon = startDaemon(1);
  await until(() => plane.polls.length === 1);
  rmSync(join(stateDir, "spool"), { recursive: true });
  await Bun.write(join(stateDir, "spool"), "not a folder");
  const job = short();
  await until(() => daemon.said.some((message) => message.includes("ENOTDIR") || message.includes("EEXIST")));
  expect([job.hasStarted, plane.polls]).toEqual([false, [1]]);
  expect(readdirSync(stateDir)).toEqual(["spool"]);
});
