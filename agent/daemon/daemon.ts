/** The agent as a service: heartbeat, work and delivery side by side, none waiting for another. */

import { errorMessage, UsageError } from "#shared/errors.ts";
import type { Job } from "#shared/protocol/job.ts";
import { ApiError } from "../client/api-error.ts";
import type { WorkerFactory } from "../engine/engine-worker.ts";
import { RateBudget } from "../engine/rate-shares.ts";
import { type JobSpool, Spool } from "../spool/spool.ts";
import { Bell } from "./bell.ts";
import { heartbeatRequest, keepHeartbeat } from "./heartbeat.ts";
import { JobRunner } from "./job-runner.ts";
import { pollJobs } from "./job-poller.ts";
import { logRefusal } from "./refusal.ts";
import type { DaemonServices } from "./services.ts";
import { Uploader } from "./uploader.ts";

export interface DaemonOptions {
  readonly stateDir: string;
  readonly capabilities: readonly string[];
  readonly workers: WorkerFactory;
  /** Probes a second of all jobs together; 0 is unlimited. */
  readonly maxRatePps: number;
  /** Called once, when nothing stands in the way of a start. */
  readonly onStart: () => void;
  /** Called once, when the agent is at work. */
  readonly onReady: () => void;
}

/**
 * Runs until `services.signal` aborts.
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
  const budget = new RateBudget(options.maxRatePps);
  const running = new Map<number, JobRunner>();
  /** The same job may run under a new claim while results of an old one are still being delivered. */
  const runnerOf = ({ jobId, leaseId }: JobSpool): JobRunner | undefined => {
    const runner = running.get(jobId);
    return runner?.job.leaseId === leaseId ? runner : undefined;
  };
  const uploader = new Uploader(services, spool, bell, {
    directive: (job, directive) => runnerOf(job)?.obey(directive),
    lost: (job) => runnerOf(job)?.giveUp(),
    isRunning: (job) => runnerOf(job) !== undefined,
  });
  const runJob = async (job: Job): Promise<void> => {
    const runner = new JobRunner(
      services,
      job,
      spool.job(job.jobId, job.leaseId),
      bell,
      options.workers,
      budget,
    );
    running.set(job.jobId, runner);
    try {
      await runner.run();
    } finally {
      running.delete(job.jobId);
    }
  };
  options.onReady();
  await Promise.all([
    keepHeartbeat(services, options.capabilities),
    pollJobs(services, runJob),
    uploader.run(),
  ]);
  log.info("agent.stopped", "Agent stopped");
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
