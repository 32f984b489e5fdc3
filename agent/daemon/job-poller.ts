/** Asks for as much work as there are free slots. While all are busy nothing is asked: a claimed job must not wait. */

import { SCANNER_BACKOFF } from "#shared/backoff.ts";
import type { Job } from "#shared/protocol/job.ts";
import { MAX_JOBS_PER_POLL } from "#shared/protocol/limits.ts";
import { retryDelayMs } from "../client/retry.ts";
import { isUnwelcome, logRefusal, UNWELCOME_WAIT_MS } from "./refusal.ts";
import type { DaemonServices } from "./services.ts";

/** Below the time after which proxies commonly cut an idle request. */
const POLL_WAIT_SECONDS = 50;

/** Where jobs go. */
export interface Workplace {
  /** How many jobs could begin at once. */
  readonly free: number;
  /** Resolves when one could, or the daemon stops. */
  whenFree(): Promise<void>;
  /** Takes what was claimed; it runs by itself. */
  take(jobs: readonly Job[]): void;
}

/** Runs until the daemon stops. */
export async function pollJobs(services: DaemonServices, workplace: Workplace): Promise<void> {
  const { client, clock, log, signal } = services;
  let failures = 0;
  for (;;) {
    await workplace.whenFree();
    if (signal.aborted) return;
    try {
      log.debug("jobs.poll", "Polling for jobs");
      const most = Math.min(workplace.free, MAX_JOBS_PER_POLL);
      const { jobs } = await client.jobs(POLL_WAIT_SECONDS, most, signal);
      failures = 0;
      workplace.take(jobs);
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      logRefusal(log, "jobs", error);
      const waitMs = isUnwelcome(error) ? UNWELCOME_WAIT_MS : retryDelayMs(error, SCANNER_BACKOFF, failures);
      await clock.sleep(waitMs, signal);
    }
  }
}
