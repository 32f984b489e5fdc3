/**
 * Delivers the spool to the control plane: batches in order, then the completion, each until it is acknowledged.
 * Keeps trying for as long as it takes; a result leaves the disk only when somebody else has it.
 */

import { SCANNER_BACKOFF } from "#shared/backoff.ts";
import { errorMessage } from "#shared/errors.ts";
import type { JobDirective } from "#shared/protocol/job.ts";
import { MAX_ERROR_LENGTH } from "#shared/protocol/limits.ts";
import { ApiError } from "../client/api-error.ts";
import { retryDelayMs } from "../client/retry.ts";
import type { JobSpool, Spool, SpoolItem } from "../spool/spool.ts";
import type { Bell } from "./bell.ts";
import { isJobGone, isUnwelcome, logRefusal, UNWELCOME_WAIT_MS } from "./refusal.ts";
import type { DaemonServices } from "./services.ts";

const IDLE_MS = 30_000;
/** Then it is another job's turn: one that finds much must not keep the others' results, and their ends, waiting. */
const ITEMS_PER_TURN = 20;

export interface UploadListener {
  /** The control plane's word on a running job came back with a delivery. */
  directive(job: JobSpool, directive: JobDirective): void;
  /** This claim of the job does not stand any more. */
  lost(job: JobSpool): void;
  /** Whether a scan is still adding to this job. */
  isRunning(job: JobSpool): boolean;
}

export class Uploader {
  private readonly services: DaemonServices;
  private readonly spool: Spool;
  private readonly bell: Bell;
  private readonly listener: UploadListener;
  private failures = 0;

  constructor(services: DaemonServices, spool: Spool, bell: Bell, listener: UploadListener) {
    this.services = services;
    this.spool = spool;
    this.bell = bell;
    this.listener = listener;
  }

  /** Runs until the daemon stops. What is left stays on disk for the next start. */
  async run(): Promise<void> {
    const { clock, signal } = this.services;
    while (!signal.aborted) {
      let pauseMs = 0;
      for (const job of this.spool.jobs()) pauseMs = Math.max(pauseMs, await this.deliverSafely(job));
      // A pause is kept to its end: new results are no reason to press a control plane that asked for rest.
      if (pauseMs > 0) await clock.sleep(pauseMs, signal);
      else await this.bell.wait(clock, IDLE_MS, signal);
    }
  }

  /** A disk that fails must not end delivery for good: it may recover, or be given room. */
  private async deliverSafely(job: JobSpool): Promise<number> {
    try {
      return await this.deliver(job);
    } catch (error) {
      this.services.log.error("spool.failed", errorMessage(error), { job: job.jobId });
      return IDLE_MS;
    }
  }

  /** Delivers what the job has, for a turn. Returns how long to leave the control plane alone: 0 where nothing failed. */
  private async deliver(job: JobSpool): Promise<number> {
    const { signal, log } = this.services;
    for (let items = 0; !signal.aborted; items++) {
      if (items === ITEMS_PER_TURN) {
        this.bell.ring();
        return 0;
      }
      const item = job.next();
      if (item === undefined) {
        if (!this.listener.isRunning(job)) this.spool.forget(job);
        return 0;
      }
      try {
        const directive = await this.send(job, item);
        this.failures = 0;
        job.acknowledge(item);
        if (item.kind === "completion") {
          this.spool.forget(job);
          log.info("job.delivered", `Submitted ${item.completion.resultCount} results`, { job: job.jobId });
          return 0;
        }
        this.listener.directive(job, directive);
      } catch (error) {
        const pauseMs = await this.handleFailure(job, item, error);
        if (pauseMs !== undefined) return pauseMs;
      }
    }
    return 0;
  }

  private send(job: JobSpool, item: SpoolItem): Promise<JobDirective> {
    const { client } = this.services;
    if (item.kind === "completion") return client.completeJob(job.jobId, item.completion);
    const { batch, results } = item;
    return client.deliverResults(job.jobId, { leaseId: job.leaseId, batch, results });
  }

  /** How long to leave the control plane alone; undefined when the item is dealt with and the next can be tried. */
  private async handleFailure(job: JobSpool, item: SpoolItem, error: unknown): Promise<number | undefined> {
    const { log } = this.services;
    if (isUnwelcome(error)) {
      logRefusal(log, "results", error);
      return UNWELCOME_WAIT_MS;
    }
    if (error instanceof ApiError && error.retryable) {
      this.failures++;
      const waitMs = retryDelayMs(error, SCANNER_BACKOFF, this.failures);
      log.warning("results.retry", `${error.message}; retrying in ${Math.round(waitMs / 1_000)}s`, {
        job: job.jobId,
      });
      return waitMs;
    }
    if (error instanceof ApiError && error.code === "CONFLICT" && item.kind === "completion") {
      await this.refuse(job, item, error);
      return undefined;
    }
    if (isJobGone(error)) {
      log.warning("job.lost", `The job is not ours any more: ${errorMessage(error)}`, { job: job.jobId });
      this.listener.lost(job);
      this.spool.forget(job);
      return 0;
    }
    await this.refuse(job, item, error);
    return undefined;
  }

  /** The control plane will never take this: keep it for people, and let the job end as failed, saying so. */
  private async refuse(job: JobSpool, item: SpoolItem, error: unknown): Promise<void> {
    const { log } = this.services;
    const what = item.kind === "batch" ? `result batch ${item.batch}` : "the job's completion";
    log.error("results.refused", `The control plane refused ${what}: ${errorMessage(error)}`, {
      job: job.jobId,
    });
    job.setAside(item);
    if (item.kind === "completion" && item.completion.status !== "failed") {
      await job.finish({
        status: "failed",
        resultCount: item.completion.resultCount,
        errorMessage: `the control plane refused ${what}: ${errorMessage(error)}`.slice(0, MAX_ERROR_LENGTH),
      });
    }
  }
}
