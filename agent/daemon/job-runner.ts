/**
 * Runs one job: plans its scans, keeps its results on disk, tells how far it is, and obeys the control plane's word.
 * Delivery is the uploader's; a control plane that is away delays nothing here.
 */

import { SCANNER_BACKOFF } from "#shared/backoff.ts";
import { errorMessage } from "#shared/errors.ts";
import type { Job, JobDirective, JobTarget, PortResult, ScanSummary } from "#shared/protocol/job.ts";
import { MAX_ERROR_LENGTH, MAX_RESULTS_PER_BATCH, PROGRESS_INTERVAL_MS } from "#shared/protocol/limits.ts";
import { withRetry } from "../client/retry.ts";
import type { WorkerFactory } from "../engine/engine-worker.ts";
import type { BudgetMember, RateBudget } from "../engine/rate-shares.ts";
import { Scan } from "../engine/scan.ts";
import { withMacVendor } from "../identify/mac-vendor.ts";
import type { JobSpool } from "../spool/spool.ts";
import type { Bell } from "./bell.ts";
import { JobLog } from "./job-log.ts";
import { scanRequestOf } from "./job-request.ts";
import { completionOf } from "./job-outcome.ts";
import { isJobGone, logRefusal } from "./refusal.ts";
import type { DaemonServices } from "./services.ts";
import { mergeSummaries } from "./summaries.ts";

export class JobRunner {
  readonly job: Job;
  private readonly services: DaemonServices;
  private readonly spool: JobSpool;
  private readonly bell: Bell;
  private readonly workers: WorkerFactory;
  private readonly budget: RateBudget;
  private scan: Scan | undefined;
  private readonly jobLog = new JobLog();
  private buffer: PortResult[] = [];
  /** Settles when all that was flushed so far is stored, or has failed the job. Never rejects. */
  private flushing: Promise<void> = Promise.resolve();
  /** What the control plane lets the job use, and what of it the other jobs leave. */
  private limitPps: number;
  private ratePps: number;
  private share: BudgetMember | undefined;
  private startedMs = 0;
  private failure: string | undefined;
  private cancelled = false;
  private lost = false;
  /** Totals of the job's scans that have ended. */
  private finished: ScanSummary | undefined;

  constructor(
    services: DaemonServices,
    job: Job,
    spool: JobSpool,
    bell: Bell,
    workers: WorkerFactory,
    budget: RateBudget,
  ) {
    this.services = services;
    this.job = job;
    this.spool = spool;
    this.bell = bell;
    this.workers = workers;
    this.budget = budget;
    this.limitPps = job.maxProbesPerSecond;
    this.ratePps = job.maxProbesPerSecond;
  }

  /** Runs to the end. Never throws: what goes wrong is the job's outcome. */
  async run(): Promise<void> {
    const { log, signal, client, clock } = this.services;
    const { jobId, leaseId } = this.job;
    try {
      const onRetry = (error: Error): void => logRefusal(log, "start", error);
      this.obey(
        await withRetry({ policy: SCANNER_BACKOFF, clock, signal, onRetry }, () =>
          client.startJob(jobId, leaseId),
        ),
      );
    } catch (error) {
      // Without a start the lease runs out and the job is handed out again.
      logRefusal(log, "start", error);
      return;
    }
    this.startedMs = clock.monotonicMs();
    this.say("info", "job.started", `Claimed job ${jobId} of scan ${this.job.scanId}`);
    const ticker = new AbortController();
    const ticking = this.tick(AbortSignal.any([signal, ticker.signal]));
    const stop = (): void => this.scan?.stop("interrupted");
    signal.addEventListener("abort", stop);
    this.share = this.budget.join(this.limitPps, (ratePps) => {
      this.ratePps = ratePps;
      this.scan?.setRate(ratePps);
    });
    try {
      await this.scanAll();
    } finally {
      this.share.leave();
      signal.removeEventListener("abort", stop);
      ticker.abort();
      await ticking;
      this.bell.ring();
    }
  }

  /** The control plane's word, whichever call brought it. */
  obey(directive: JobDirective): void {
    if (directive.maxProbesPerSecond !== this.limitPps) {
      this.limitPps = directive.maxProbesPerSecond;
      this.share?.setWant(this.limitPps);
      this.say("info", "job.rate", `Rate is now limited to ${this.limitPps || "any number of"} probes/s`);
    }
    if (directive.cancel && !this.cancelled) {
      this.cancelled = true;
      this.say("warning", "job.cancelled", "Scan cancelled by user");
      this.scan?.stop("cancelled");
    }
  }

  /** Somebody else has the job now: stop, and deliver nothing more. */
  giveUp(): void {
    this.lost = true;
    this.scan?.stop("cancelled");
  }

  private async scanAll(): Promise<void> {
    const { signal } = this.services;
    try {
      for (const target of this.job.targets) {
        if (this.cancelled || this.lost || this.failure !== undefined || signal.aborted) break;
        await this.scanTarget(target);
      }
      await this.flush();
    } catch (error) {
      this.fail(error);
    }
    // Stopped with the daemon: the lease runs out and the job is handed out again, so nothing is complete here.
    if (this.lost || signal.aborted) return;
    await this.finish();
  }

  private async scanTarget(target: JobTarget): Promise<void> {
    const note = (message: string): void => this.say("info", "scan.note", message);
    const scan = new Scan(scanRequestOf(this.job, target, this.ratePps, this.elapsedMs()), note);
    this.scan = scan;
    if (this.cancelled) scan.stop("cancelled");
    const summary = await scan.run(this.workers, {
      note,
      ports: async (results) => {
        this.buffer.push(...results.map(withMacVendor));
        if (this.buffer.length >= MAX_RESULTS_PER_BATCH) await this.flush();
      },
      hosts: (hosts) => {
        for (const { address } of hosts) {
          this.say(
            "warning",
            "scan.suspicious",
            `${address} answers on every port; its open ports are not listed`,
          );
        }
      },
    });
    this.finished = this.finished === undefined ? summary : mergeSummaries(this.finished, summary);
    this.scan = undefined;
    const coverage = (summary.coverage * 100).toFixed(1);
    this.say(
      "info",
      "scan.ended",
      `Scan ended (${summary.ended}) with ${summary.open} open ports, coverage ${coverage} %`,
    );
  }

  private async finish(): Promise<void> {
    await this.sendLog();
    const completion = completionOf({
      cancelled: this.cancelled,
      failure: this.failure,
      summary: this.finished,
      resultCount: this.spool.resultCount,
      scanTimeoutSeconds: this.job.options.scanTimeoutSeconds,
    });
    try {
      await this.spool.finish(completion);
    } catch (error) {
      this.say("error", "spool.failed", errorMessage(error));
      await this.reportLostOutcome(errorMessage(error));
    }
  }

  /** The outcome has no place on disk: say so at once, or the operator would only learn that the scanner fell silent. */
  private async reportLostOutcome(reason: string): Promise<void> {
    const { client, log } = this.services;
    const { jobId, leaseId } = this.job;
    try {
      const outcome = {
        status: "failed",
        resultCount: 0,
        errorMessage: reason.slice(0, MAX_ERROR_LENGTH),
      } as const;
      await client.completeJob(jobId, { leaseId, ...outcome });
      this.lost = true;
    } catch (error) {
      logRefusal(log, "complete", error);
    }
  }

  /** Stores what was found, after all that is being stored already: then nothing is on its way to the disk any more. */
  private flush(): Promise<void> {
    this.flushing = this.flushing.then(() => this.storeBuffer());
    return this.flushing;
  }

  private async storeBuffer(): Promise<void> {
    const results = this.buffer;
    if (results.length === 0 || this.lost) return;
    this.buffer = [];
    try {
      await this.spool.append(results);
    } catch (error) {
      // What could not be stored is lost: the job must not end as if it were not.
      this.fail(error);
    }
    this.bell.ring();
  }

  /** The job ends as failed for this reason; the first one stands. */
  private fail(error: unknown): void {
    this.failure ??= errorMessage(error);
    this.say("error", "job.failed", errorMessage(error));
    this.scan?.stop("interrupted");
  }

  /** To the agent's own log, and to the scan's log at the control plane. */
  private say(level: "info" | "warning" | "error", event: string, message: string): void {
    const { log, clock } = this.services;
    log[level](event, message, { job: this.job.jobId });
    this.jobLog.add(level, message, clock.nowMs());
  }

  private async sendLog(): Promise<void> {
    const { client, log } = this.services;
    const { jobId, leaseId } = this.job;
    try {
      await this.jobLog.flush((batch, logs) => client.deliverLogs(jobId, { leaseId, batch, logs }));
    } catch (error) {
      log.debug("job.log", `The scan's log was not taken: ${errorMessage(error)}`, { job: jobId });
    }
  }

  private elapsedMs(): number {
    return this.services.clock.monotonicMs() - this.startedMs;
  }

  /** Every two seconds: results to disk, progress to the control plane. A call that fails is left to the next turn. */
  private async tick(signal: AbortSignal): Promise<void> {
    const { clock, log, client } = this.services;
    const { jobId, leaseId } = this.job;
    for (;;) {
      await clock.sleep(PROGRESS_INTERVAL_MS, signal);
      if (signal.aborted) return;
      try {
        await this.flush();
        const { sent, coverage } = this.progress();
        this.obey(
          await client.reportProgress(jobId, {
            leaseId,
            progressCount: sent,
            resultCount: this.spool.resultCount,
            coverage,
          }),
        );
      } catch (error) {
        if (isJobGone(error)) this.giveUp();
        logRefusal(log, "progress", error);
        continue;
      }
      await this.sendLog();
    }
  }

  private progress(): { sent: number; coverage: number } {
    const now = this.scan?.progress();
    const before = this.finished;
    const covered = (before?.probesCovered ?? 0) + (now?.probesCovered ?? 0);
    const planned = (before?.probesPlanned ?? 0) + (now?.probesPlanned ?? 0);
    return {
      sent: (before?.packetsSent ?? 0) + (now?.packetsSent ?? 0),
      // Targets that have not begun are not planned yet; the share may only be claimed for one.
      coverage: this.job.targets.length > 1 || planned === 0 ? 0 : Math.min(1, covered / planned),
    };
  }
}
