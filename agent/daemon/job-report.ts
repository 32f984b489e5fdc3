/**
 * What a job tells while it runs: lines to the agent's log and to the scan's log, progress to the control plane.
 * Best effort: a call that fails is left to the next turn, and the scan goes on.
 */

import { errorMessage } from "#shared/errors.ts";
import type { Job, JobDirective, JobProgressRequest } from "#shared/protocol/job.ts";
import { PROGRESS_INTERVAL_MS } from "#shared/protocol/limits.ts";
import { JobLog } from "./job-log.ts";
import { isJobGone, logRefusal } from "./refusal.ts";
import type { DaemonServices } from "./services.ts";

/** The job, as its report sees it. */
export interface ReportedJob {
  /** How far it is, with everything found so far on disk. */
  progress(): Promise<Omit<JobProgressRequest, "leaseId">>;
  /** The control plane's word, which every answer brings. */
  obey(directive: JobDirective): void;
  /** This claim does not stand any more. */
  giveUp(): void;
}

export class JobReport {
  private readonly services: DaemonServices;
  private readonly job: Job;
  private readonly jobLog = new JobLog();

  constructor(services: DaemonServices, job: Job) {
    this.services = services;
    this.job = job;
  }

  /** To the agent's own log, and to the scan's log at the control plane. */
  say(level: "info" | "warning" | "error", event: string, message: string): void {
    const { log, clock } = this.services;
    log[level](event, message, { job: this.job.jobId });
    this.jobLog.add(level, message, clock.nowMs());
  }

  /** Tells progress every two seconds, which keeps the lease, until `signal` aborts. */
  async keep(reported: ReportedJob, signal: AbortSignal): Promise<void> {
    const { clock, log, client } = this.services;
    const { jobId, leaseId } = this.job;
    for (;;) {
      await clock.sleep(PROGRESS_INTERVAL_MS, signal);
      if (signal.aborted) return;
      try {
        const progress = await reported.progress();
        reported.obey(await client.reportProgress(jobId, { leaseId, ...progress }));
      } catch (error) {
        if (isJobGone(error)) reported.giveUp();
        logRefusal(log, "progress", error);
        continue;
      }
      await this.sendLog();
    }
  }

  /** Sends the lines that wait. */
  async sendLog(): Promise<void> {
    const { client, log } = this.services;
    const { jobId, leaseId } = this.job;
    try {
      await this.jobLog.flush((batch, logs) => client.deliverLogs(jobId, { leaseId, batch, logs }));
    } catch (error) {
      log.debug("job.log", `The scan's log was not taken: ${errorMessage(error)}`, { job: jobId });
    }
  }
}
