/** Asks for work and runs what it gets, one job at a time. */

import { SCANNER_BACKOFF } from "#shared/backoff.ts";
import type { Job } from "#shared/protocol/job.ts";
import { retryDelayMs } from "../client/retry.ts";
import { isUnwelcome, logRefusal, UNWELCOME_WAIT_MS } from "./refusal.ts";
import type { DaemonServices } from "./services.ts";

/** Below the time after which proxies commonly cut an idle request. */
const POLL_WAIT_SECONDS = 50;

/** Runs until the daemon stops. */
export async function pollJobs(services: DaemonServices, runJob: (job: Job) => Promise<void>): Promise<void> {
  const { client, clock, log, signal } = services;
  let failures = 0;
  while (!signal.aborted) {
    try {
      log.debug("jobs.poll", "Polling for jobs");
      const { jobs } = await client.jobs(POLL_WAIT_SECONDS, signal);
      failures = 0;
      for (const job of jobs) await runJob(job);
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      logRefusal(log, "jobs", error);
      const waitMs = isUnwelcome(error) ? UNWELCOME_WAIT_MS : retryDelayMs(error, SCANNER_BACKOFF, failures);
      await clock.sleep(waitMs, signal);
    }
  }
}
