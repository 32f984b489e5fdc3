/** The agent as a service: heartbeat, work and delivery side by side, none waiting for another. */

import { errorMessage, UsageError } from "#shared/errors.ts";
import type { Job } from "#shared/protocol/job.ts";
import { ApiError } from "../client/api-error.ts";
import type { WorkerFactory } from "../engine/scan.ts";
import { Spool } from "../spool/spool.ts";
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
  /** Called once, when the agent is at work. */
  readonly onReady: () => void;
}

/**
 * Runs until `services.signal` aborts.
 * @throws UsageError where the first heartbeat is refused for its key: somebody should know at once
 */
export async function runDaemon(services: DaemonServices, options: DaemonOptions): Promise<void> {
  const { log } = services;
  await firstHeartbeat(services, options.capabilities);

  const spool = new Spool(options.stateDir);
  const bell = new Bell();
  const running = new Map<number, JobRunner>();
  const uploader = new Uploader(services, spool, bell, {
    directive: (jobId, directive) => running.get(jobId)?.obey(directive),
    lost: (jobId) => running.get(jobId)?.giveUp(),
    isRunning: ({ jobId, leaseId }) => running.get(jobId)?.job.leaseId === leaseId,
  });
  const runJob = async (job: Job): Promise<void> => {
    const runner = new JobRunner(services, job, spool.job(job.jobId, job.leaseId), bell, options.workers);
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

async function firstHeartbeat(services: DaemonServices, capabilities: readonly string[]): Promise<void> {
  const { client, log } = services;
  try {
    await client.heartbeat(await heartbeatRequest(capabilities));
    log.info("auth.ok", "Authenticated with the control plane");
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      throw new UsageError(error.code, `${errorMessage(error)}; enroll this host again with a new token`);
    }
    logRefusal(log, "heartbeat", error);
  }
}
