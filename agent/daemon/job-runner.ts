/**
 * Runs one job: plans its scans, keeps its results on disk, tells how far it is, and obeys the control plane's word.
 * Delivery is the uploader's; a control plane that is away delays nothing here.
 */

import { SCANNER_BACKOFF } from "#shared/backoff.ts";
import { errorMessage } from "#shared/errors.ts";
import { formatIpv4 } from "#shared/net/ipv4.ts";
import { parsePorts } from "#shared/net/port-spec.ts";
import { parseTargets, probedAddresses } from "#shared/net/target-spec.ts";
import type { Job, JobDirective, JobTarget, PortResult, ScanSummary } from "#shared/protocol/job.ts";
import { MAX_ERROR_LENGTH, MAX_RESULTS_PER_BATCH, PROGRESS_INTERVAL_MS } from "#shared/protocol/limits.ts";
import { withRetry } from "../client/retry.ts";
import type { ScanRequest } from "../engine/plan.ts";
import { type PortRecord, stateOfReason } from "../engine/records.ts";
import { Scan, type WorkerFactory } from "../engine/scan.ts";
import type { JobSpool } from "../spool/spool.ts";
import type { Bell } from "./bell.ts";
import { isJobGone, logRefusal } from "./refusal.ts";
import type { DaemonServices } from "./services.ts";
import { mergeSummaries } from "./summaries.ts";

export class JobRunner {
  readonly job: Job;
  private readonly services: DaemonServices;
  private readonly spool: JobSpool;
  private readonly bell: Bell;
  private readonly workers: WorkerFactory;
  private scan: Scan | undefined;
  private buffer: PortResult[] = [];
  private ratePps: number;
  private cancelled = false;
  private lost = false;
  /** Totals of the job's scans that have ended. */
  private finished: ScanSummary | undefined;

  constructor(services: DaemonServices, job: Job, spool: JobSpool, bell: Bell, workers: WorkerFactory) {
    this.services = services;
    this.job = job;
    this.spool = spool;
    this.bell = bell;
    this.workers = workers;
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
    log.info("job.started", `Claimed job ${jobId} of scan ${this.job.scanId}`, { job: jobId });
    const ticker = new AbortController();
    const ticking = this.tick(AbortSignal.any([signal, ticker.signal]));
    const stop = (): void => this.scan?.stop("interrupted");
    signal.addEventListener("abort", stop);
    try {
      await this.scanAll();
    } finally {
      signal.removeEventListener("abort", stop);
      ticker.abort();
      await ticking;
      this.bell.ring();
    }
  }

  /** The control plane's word, whichever call brought it. */
  obey(directive: JobDirective): void {
    if (directive.maxProbesPerSecond !== this.ratePps) {
      this.ratePps = directive.maxProbesPerSecond;
      this.scan?.setRate(this.ratePps);
      this.services.log.info("job.rate", `Rate is now ${this.ratePps || "unlimited"} probes/s`, {
        job: this.job.jobId,
      });
    }
    if (directive.cancel && !this.cancelled) {
      this.cancelled = true;
      this.services.log.info("job.cancelled", "Scan cancelled by user", { job: this.job.jobId });
      this.scan?.stop("cancelled");
    }
  }

  /** Somebody else has the job now: stop, and deliver nothing more. */
  giveUp(): void {
    this.lost = true;
    this.scan?.stop("cancelled");
  }

  private async scanAll(): Promise<void> {
    const { log, signal } = this.services;
    let failure: string | undefined;
    try {
      for (const target of this.job.targets) {
        if (this.cancelled || this.lost || signal.aborted) break;
        await this.scanTarget(target);
      }
      await this.flush();
    } catch (error) {
      failure = errorMessage(error);
      log.error("job.failed", failure, { job: this.job.jobId });
    }
    // Stopped with the daemon: the lease runs out and the job is handed out again, so nothing is complete here.
    if (this.lost || signal.aborted) return;
    await this.finish(failure);
  }

  private async scanTarget(target: JobTarget): Promise<void> {
    const { log } = this.services;
    const note = (message: string): void => log.info("scan.note", message, { job: this.job.jobId });
    const scan = new Scan(this.requestFor(target), note);
    this.scan = scan;
    if (this.cancelled) scan.stop("cancelled");
    const summary = await scan.run(this.workers, {
      note,
      records: async (records) => {
        this.buffer.push(...records.map(toResult));
        if (this.buffer.length >= MAX_RESULTS_PER_BATCH) await this.flush();
      },
    });
    this.finished = this.finished === undefined ? summary : mergeSummaries(this.finished, summary);
    this.scan = undefined;
    log.info("scan.ended", `Scan ended with ${summary.open} open ports`, {
      job: this.job.jobId,
      coverage: summary.coverage,
      ended: summary.ended,
    });
  }

  private requestFor(target: JobTarget): ScanRequest {
    const { engine, options } = this.job;
    return {
      addresses: probedAddresses(parseTargets(target.addresses), []),
      ports: parsePorts(target.ports).tcp,
      ratePps: this.ratePps,
      retries: options.retries,
      portTimeoutMs: options.portTimeoutMs,
      maxRuntimeMs: options.scanTimeoutSeconds * 1_000,
      link: engine === "connect" ? "connect" : "auto",
      seed: Math.floor(Math.random() * 2 ** 48),
      report: options.reportStates,
    };
  }

  private async finish(failure: string | undefined): Promise<void> {
    const summary = this.finished;
    const resultCount = this.spool.resultCount;
    const problem = failure ?? problemOf(summary, this.job.options.scanTimeoutSeconds);
    const status = this.cancelled ? "cancelled" : problem === undefined ? "completed" : "failed";
    try {
      await this.spool.finish({
        status,
        resultCount,
        ...(problem === undefined || this.cancelled
          ? {}
          : { errorMessage: problem.slice(0, MAX_ERROR_LENGTH) }),
        ...(summary === undefined ? {} : { summary }),
      });
    } catch (error) {
      this.services.log.error("spool.failed", errorMessage(error), { job: this.job.jobId });
    }
  }

  private async flush(): Promise<void> {
    const results = this.buffer;
    if (results.length === 0 || this.lost) return;
    this.buffer = [];
    await this.spool.append(results);
    this.bell.ring();
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
      }
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

function toResult(record: PortRecord): PortResult {
  return {
    address: formatIpv4(record.address),
    port: record.port,
    protocol: "tcp",
    state: stateOfReason(record.reason),
    reason: record.reason,
    ...(record.ttl > 0 ? { ttl: record.ttl } : {}),
    observedAt: new Date(record.timeMs).toISOString(),
  };
}

/** Why a scan that ended may not be called completed; undefined where it may. */
function problemOf(summary: ScanSummary | undefined, timeoutSeconds: number): string | undefined {
  if (summary === undefined) return "nothing was scanned";
  const coverage = `${(summary.coverage * 100).toFixed(1)} % of the probes were sent`;
  if (summary.ended === "timed-out") return `timed out after ${timeoutSeconds} s; ${coverage}`;
  if (summary.partial) return `incomplete: ${coverage}`;
  return undefined;
}
