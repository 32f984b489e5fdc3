/**
 * Runs one job: plans its scans, keeps its results on disk, and obeys the control plane's word.
 * Delivery is the uploader's; a control plane that is away delays nothing here.
 */

import { SCANNER_BACKOFF } from "#shared/backoff.ts";
import { errorMessage } from "#shared/errors.ts";
import type { Job, JobDirective, JobTarget, PortResult, ScanSummary } from "#shared/protocol/job.ts";
import { MAX_ERROR_LENGTH } from "#shared/protocol/limits.ts";
import { withRetry } from "../client/retry.ts";
import type { WorkerFactory } from "../engine/engine-worker.ts";
import type { BudgetMember } from "../engine/rate-shares.ts";
import { Scan, type ScanObserver } from "../engine/scan.ts";
import { withMacVendor } from "../identify/mac-vendor.ts";
import type { JobSpool } from "../spool/spool.ts";
import type { Bell } from "./bell.ts";
import { completionOf } from "./job-outcome.ts";
import { JobReport } from "./job-report.ts";
import { scanRequestOf, sizeOfTarget } from "./job-request.ts";
import { logRefusal } from "./refusal.ts";
import { ResultBuffer } from "./result-buffer.ts";
import type { ScannerRate } from "./scanner-rate.ts";
import type { DaemonServices } from "./services.ts";
import { mergeSummaries, unscanned } from "./summaries.ts";
import { TimeLimit } from "./time-limit.ts";

/** What all jobs share. */
export interface JobTools {
  /** Rung when there is something to deliver. */
  readonly bell: Bell;
  readonly workers: WorkerFactory;
  readonly rate: ScannerRate;
}

export class JobRunner {
  readonly job: Job;
  private readonly services: DaemonServices;
  private readonly spool: JobSpool;
  private readonly tools: JobTools;
  private readonly report: JobReport;
  private readonly found = new ResultBuffer((results) => this.store(results));
  /** Aborts when nothing more is to be told. */
  private readonly ended = new AbortController();
  private scan: Scan | undefined;
  /** What the control plane lets the job use, and what of it the other jobs leave. */
  private limitPps: number;
  private ratePps: number;
  private share: BudgetMember | undefined;
  private failure: string | undefined;
  private cancelled = false;
  private lost = false;
  /** Totals of the job's scans that have ended. */
  private finished: ScanSummary | undefined;

  constructor(services: DaemonServices, job: Job, spool: JobSpool, tools: JobTools) {
    this.services = services;
    this.job = job;
    this.spool = spool;
    this.tools = tools;
    this.report = new JobReport(services, job);
    this.limitPps = job.maxProbesPerSecond;
    this.ratePps = job.maxProbesPerSecond;
  }

  /** Runs to the end. Never throws: what goes wrong is the job's outcome. */
  async run(): Promise<void> {
    const { log, signal, client, clock } = this.services;
    const { jobId, leaseId, scanId, options } = this.job;
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
    this.report.say("info", "job.started", `Claimed job ${jobId} of scan ${scanId}`);
    const limit = new TimeLimit(options.scanTimeoutSeconds, clock);
    const untilEnd = AbortSignal.any([signal, this.ended.signal]);
    const besides = [
      this.report.keep(this, untilEnd),
      limit.warnBefore((message) => this.report.say("warning", "job.time", message), untilEnd),
    ];
    const stop = (): void => this.scan?.stop("interrupted");
    signal.addEventListener("abort", stop);
    this.share = this.tools.rate.join(this.limitPps, (ratePps) => {
      this.ratePps = ratePps;
      this.scan?.setRate(ratePps);
    });
    try {
      await this.scanAll(limit);
    } finally {
      this.share.leave();
      signal.removeEventListener("abort", stop);
      this.ended.abort();
      await Promise.all(besides);
      this.tools.bell.ring();
    }
  }

  /** The control plane's word, whichever call brought it. */
  obey(directive: JobDirective): void {
    this.tools.rate.hear(directive.scannerProbesPerSecond);
    if (directive.maxProbesPerSecond !== this.limitPps) {
      this.limitPps = directive.maxProbesPerSecond;
      this.share?.setWant(this.limitPps);
      const limit = this.limitPps || "any number of";
      this.report.say("info", "job.rate", `Rate is now limited to ${limit} probes/s`);
    }
    if (directive.cancel && !this.cancelled) {
      this.cancelled = true;
      this.report.say("warning", "job.cancelled", "Scan cancelled by user");
      this.scan?.stop("cancelled");
    }
  }

  /** Somebody else has the job now: stop, and neither tell nor deliver anything more. */
  giveUp(): void {
    this.lost = true;
    this.ended.abort();
    this.scan?.stop("cancelled");
  }

  /** How far the job is, with everything found so far on disk. */
  async progress(): Promise<{ progressCount: number; resultCount: number; coverage: number }> {
    await this.found.flush();
    const now = this.scan?.progress();
    const before = this.finished;
    const covered = (before?.probesCovered ?? 0) + (now?.probesCovered ?? 0);
    const planned = (before?.probesPlanned ?? 0) + (now?.probesPlanned ?? 0);
    return {
      progressCount: (before?.packetsSent ?? 0) + (now?.packetsSent ?? 0),
      resultCount: this.spool.resultCount,
      // Targets that have not begun are not planned yet; the share may only be claimed for one.
      coverage: this.job.targets.length > 1 || planned === 0 ? 0 : Math.min(1, covered / planned),
    };
  }

  private async scanAll(limit: TimeLimit): Promise<void> {
    const { signal } = this.services;
    try {
      for (const target of this.job.targets) {
        if (this.lost || signal.aborted) break;
        const end = this.endBefore(limit);
        if (end === undefined) await this.scanTarget(target, limit);
        else this.add(unscanned(sizeOfTarget(target), end));
      }
      await this.found.flush();
    } catch (error) {
      this.fail(error);
    }
    // Stopped with the daemon: the lease runs out and the job is handed out again, so nothing is complete here.
    if (this.lost || signal.aborted) return;
    await this.finish();
  }

  /** Why no further target may be scanned, or undefined. */
  private endBefore(limit: TimeLimit): ScanSummary["ended"] | undefined {
    if (this.cancelled) return "cancelled";
    if (this.failure !== undefined) return "failed";
    return limit.leftMs() === 0 ? "timed-out" : undefined;
  }

  private async scanTarget(target: JobTarget, limit: TimeLimit): Promise<void> {
    const note = (message: string): void => this.report.say("info", "scan.note", message);
    let summary: ScanSummary;
    try {
      this.scan = new Scan(scanRequestOf(this.job, target, this.ratePps, limit.leftMs()), note);
      summary = await this.scan.run(this.tools.workers, this.observer(note));
    } catch (error) {
      this.fail(error);
      this.add(unscanned(sizeOfTarget(target), "failed"));
      return;
    } finally {
      this.scan = undefined;
    }
    this.add(summary);
    const coverage = (summary.coverage * 100).toFixed(1);
    const said = `Scan ended (${summary.ended}) with ${summary.open} open ports, coverage ${coverage} %`;
    this.report.say("info", "scan.ended", said);
  }

  private observer(note: (message: string) => void): ScanObserver {
    return {
      note,
      ports: (results) => this.found.add(results.map(withMacVendor)),
      hosts: (hosts) => {
        for (const { address } of hosts) {
          const said = `${address} answers on every port; its open ports are not listed`;
          this.report.say("warning", "scan.suspicious", said);
        }
      },
    };
  }

  private add(summary: ScanSummary): void {
    this.finished = this.finished === undefined ? summary : mergeSummaries(this.finished, summary);
  }

  private async store(results: readonly PortResult[]): Promise<void> {
    if (this.lost) return;
    try {
      await this.spool.append(results);
    } catch (error) {
      // What could not be stored is lost: the job must not end as if it were not.
      this.fail(error);
    }
    this.tools.bell.ring();
  }

  private async finish(): Promise<void> {
    await this.report.sendLog();
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
      this.report.say("error", "spool.failed", errorMessage(error));
      await this.reportLostOutcome(errorMessage(error));
    }
  }

  /** The outcome has no place on disk: say so at once, or the operator would only learn that the scanner fell silent. */
  private async reportLostOutcome(reason: string): Promise<void> {
    const { client, log } = this.services;
    const { jobId, leaseId } = this.job;
    try {
      const errorText = reason.slice(0, MAX_ERROR_LENGTH);
      await client.completeJob(jobId, { leaseId, status: "failed", resultCount: 0, errorMessage: errorText });
      this.lost = true;
    } catch (error) {
      logRefusal(log, "complete", error);
    }
  }

  /** The job ends as failed for this reason; the first one stands. */
  private fail(error: unknown): void {
    this.failure ??= errorMessage(error);
    this.report.say("error", "job.failed", errorMessage(error));
    this.scan?.stop("interrupted");
  }
}
