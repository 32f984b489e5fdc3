/** The agent as a service: heartbeat, work and delivery side by side, none waiting for another. */

import type { Clock } from "#shared/clock.ts";
import { errorMessage, UsageError } from "#shared/errors.ts";
import { ApiError } from "../client/api-error.ts";
import type { WorkerFactory } from "../engine/engine-worker.ts";
import { Spool } from "../spool/spool.ts";
import { Bell } from "./bell.ts";
import { heartbeatRequest, keepHeartbeat } from "./heartbeat.ts";
import { pollJobs } from "./job-poller.ts";
import { logRefusal } from "./refusal.ts";
import { RunningJobs } from "./running-jobs.ts";
import { ScannerRate } from "./scanner-rate.ts";
import type { DaemonServices } from "./services.ts";
import { Uploader } from "./uploader.ts";

/** Who told us to stop waits 10 s at most; what hangs longer than this is left behind. */
const STOP_LIMIT_MS = 8_000;

export interface DaemonOptions {
  readonly stateDir: string;
  readonly capabilities: readonly string[];
  readonly workers: WorkerFactory;
  /** Probes a second of all jobs together; 0 is unlimited. */
  readonly maxRatePps: number;
  /** Jobs at a time. */
  readonly maxConcurrentScans: number;
  /** Called once, when nothing stands in the way of a start. */
  readonly onStart: () => void;
  /** Called once, when the agent is at work. */
  readonly onReady: () => void;
}

/**
 * Runs until `services.signal` aborts, and then no longer than STOP_LIMIT_MS.
 * @throws UsageError where the first heartbeat is refused for its key, or the state directory cannot be written:
 *   somebody should know at once
 */
export async function runDaemon(services: DaemonServices, options: DaemonOptions): Promise<void> {
  const { log } = services;
  // Results must have a place before anybody hears of this agent.
  const spool = new Spool(options.stateDir);
  const refusal = await firstHeartbeat(services, options.capabilities);
  // Only now: whatever makes a start impossible is told in one line and nothing else.
  options.onStart();
  if (refusal === undefined) log.info("auth.ok", "Authenticated with the control plane");
  else logRefusal(log, "heartbeat", refusal);

  const bell = new Bell();
  const tools = { bell, workers: options.workers, rate: new ScannerRate(options.maxRatePps, log) };
  const jobs = new RunningJobs(services, spool, tools, options.maxConcurrentScans);
  const uploader = new Uploader(services, spool, bell, jobs);
  options.onReady();
  const parts = [
    keepHeartbeat(services, options.capabilities),
    pollJobs(services, jobs),
    uploader.run(),
    jobs.closed(),
  ];
  if (await hasEndedInTime(Promise.all(parts), services)) {
    log.info("agent.stopped", "Agent stopped");
  } else {
    const left = jobs.ids().map((id) => `job ${id}`);
    log.warning("agent.stopped", `Agent stopped without waiting for ${left.join(", ") || "all its calls"}`);
  }
}

/** False where `end` takes longer than STOP_LIMIT_MS after the signal. @throws what `end` throws */
async function hasEndedInTime(
  end: Promise<unknown>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<boolean> {
  const ended = new AbortController();
  try {
    return await Promise.race([
      end.then(() => true),
      aborted(signal)
        .then(() => clock.sleep(STOP_LIMIT_MS, ended.signal))
        .then(() => false),
    ]);
  } finally {
    ended.abort();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/**
 * Undefined when it was taken, else why it was not; the agent then keeps trying.
 * @throws UsageError where the key is not known
 */
async function firstHeartbeat(services: DaemonServices, capabilities: readonly string[]): Promise<unknown> {
  try {
    await services.client.heartbeat(await heartbeatRequest(capabilities));
    return undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      throw new UsageError(error.code, `${errorMessage(error)}; enroll this host again with a new token`);
    }
    return error;
  }
}
