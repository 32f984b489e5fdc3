/** The jobs at work side by side: each has a slot and a runner, and hears what the control plane says about it. */

import { errorMessage } from "#shared/errors.ts";
import type { Job, JobDirective } from "#shared/protocol/job.ts";
import type { JobSpool, Spool } from "../spool/spool.ts";
import type { Workplace } from "./job-poller.ts";
import { JobRunner, type JobTools } from "./job-runner.ts";
import { JobSlots } from "./job-slots.ts";
import type { DaemonServices } from "./services.ts";
import type { UploadListener } from "./uploader.ts";

/** A disk that takes no job would let one claimed job after the other fall: the slot rests instead. */
const REST_MS = 30_000;

export class RunningJobs implements Workplace, UploadListener {
  private readonly services: DaemonServices;
  private readonly spool: Spool;
  private readonly tools: JobTools;
  private readonly slots: JobSlots;
  /** A lease names one claim of one job: the same job may be back under a new one before the old has ended here. */
  private readonly byLease = new Map<string, JobRunner>();

  /** @param most jobs at a time */
  constructor(services: DaemonServices, spool: Spool, tools: JobTools, most: number) {
    this.services = services;
    this.spool = spool;
    this.tools = tools;
    this.slots = new JobSlots(most, (job) => this.run(job), services.signal);
  }

  get free(): number {
    return this.slots.free;
  }

  whenFree(): Promise<void> {
    return this.slots.whenFree();
  }

  take(jobs: readonly Job[]): void {
    for (const { scannerProbesPerSecond } of jobs) this.tools.rate.hear(scannerProbesPerSecond);
    this.slots.add(jobs);
  }

  /** Resolves when all have ended after the daemon was told to stop. */
  closed(): Promise<void> {
    return this.slots.closed();
  }

  /** Ids of the jobs that run. */
  ids(): number[] {
    return [...this.byLease.values()].map(({ job }) => job.jobId);
  }

  directive(job: JobSpool, directive: JobDirective): void {
    this.byLease.get(job.leaseId)?.obey(directive);
  }

  lost(job: JobSpool): void {
    this.byLease.get(job.leaseId)?.giveUp();
  }

  isRunning(job: JobSpool): boolean {
    return this.byLease.has(job.leaseId);
  }

  private async run(job: Job): Promise<void> {
    const { clock, log, signal } = this.services;
    const { jobId, leaseId } = job;
    for (const other of this.byLease.values()) {
      // Handed out again: its former claim is void, and two scans of the same targets would be one too many.
      if (other.job.jobId === jobId) other.giveUp();
    }
    try {
      const runner = new JobRunner(this.services, job, this.spool.job(jobId, leaseId), this.tools);
      this.byLease.set(leaseId, runner);
      await runner.run();
    } catch (error) {
      log.error("job.failed", errorMessage(error), { job: jobId });
      await clock.sleep(REST_MS, signal);
    } finally {
      this.byLease.delete(leaseId);
    }
  }
}
