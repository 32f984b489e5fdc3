/**
 * How a job ends. Nothing is called completed while results are missing or probes were not sent: then the job counts
 * as failed and says what is missing.
 */

import { createHash } from "node:crypto";
import type { Log } from "#shared/log.ts";
import type { JobCompleteRequest, JobDirective, JobStatus } from "#shared/protocol/job.ts";
import { MAX_ERROR_LENGTH } from "#shared/protocol/limits.ts";
import { countDelivered } from "../store/job-batches.ts";
import { endJob, type JobOutcome, type JobRow } from "../store/jobs.ts";
import { markScanRunning } from "../store/scans.ts";
import type { Store } from "../store/store.ts";
import { directive, holdJob, type JobCall } from "./leased-job.ts";
import { refusal } from "./refusal.ts";
import { settleScan } from "./scan-outcome.ts";

export class JobCompletion {
  private readonly store: Store;
  private readonly log: Log;

  constructor(store: Store, log: Log) {
    this.store = store;
    this.log = log;
  }

  /** @throws PortolanError CONFLICT when results that the agent counted have not arrived, and what `holdJob` throws */
  async complete(call: JobCall, request: JobCompleteRequest): Promise<JobDirective> {
    const completionDigest = digestOf(request);
    const { job, outcome } = await this.store.transaction(async (session) => {
      const held = await holdJob(
        session,
        call,
        "scan",
        (ended) => ended.completion_digest === completionDigest,
      );
      if (held.isRepeat) return { job: held.job, outcome: undefined };
      const delivered = await countDelivered(session, call.jobId, call.leaseId);
      // A job that failed or was cancelled promises nothing; it keeps what has arrived.
      if (request.status === "completed" && delivered !== request.resultCount) {
        throw refusal(
          "CONFLICT",
          `the scanner counts ${request.resultCount} results, ${delivered} have arrived: deliver the others first`,
          { resultCount: request.resultCount, delivered },
        );
      }
      const decided = decideOutcome(request, stopReason(held.job));
      const coverage = request.summary?.coverage ?? (decided.status === "completed" ? 1 : held.job.coverage);
      const summary = request.summary === undefined ? null : JSON.stringify(request.summary);
      await endJob(session, call.jobId, {
        ...decided,
        coverage,
        resultCount: delivered,
        summary,
        completionDigest,
      });
      // For agents that complete what they never said to have started.
      await markScanRunning(session, held.job.scan_id);
      await settleScan(session, held.job.scan_id);
      return { job: held.job, outcome: decided };
    });
    if (outcome !== undefined) {
      this.log.info("job.ended", `Job ${job.id} on ${call.scanner.name} ended: ${outcome.status}`, {
        jobId: job.id,
        scanId: job.scan_id,
        status: outcome.status,
        reason: outcome.errorMessage,
      });
    }
    return directive(job);
  }
}

/** Set when we told the agent to stop, and nobody had cancelled the scan. */
function stopReason(job: JobRow): string | undefined {
  if (job.stop_requested_at === null || job.cancel_requested_at !== null) return undefined;
  return timedOut(job);
}

/** What stands by a job that was ended because its time was over. */
export function timedOut({ timeout_seconds }: Pick<JobRow, "timeout_seconds">): string {
  return `stopped at its time-out of ${timeout_seconds} s; what was found is kept`;
}

/**
 * What the scanner says, unless its own summary says otherwise.
 * @param stopped why we told it to stop, when no operator did: then it is not cancelled but has failed
 */
export function decideOutcome(
  request: JobCompleteRequest,
  stopped?: string,
): Pick<JobOutcome, "errorMessage"> & { status: JobStatus } {
  const { status, errorMessage, summary } = request;
  if (status === "cancelled" && stopped !== undefined) return { status: "failed", errorMessage: stopped };
  if (status === "failed") return { status, errorMessage: errorMessage ?? "the scanner gave no reason" };
  if (status === "cancelled") return { status, errorMessage: errorMessage ?? null };
  if (summary === undefined || (!summary.partial && summary.coverage >= 1))
    return { status, errorMessage: null };
  const missing = `incomplete: ${summary.probesCovered} of ${summary.probesPlanned} probes were sent (${summary.ended})`;
  const reason = errorMessage === undefined ? missing : `${missing}: ${errorMessage}`;
  return { status: "failed", errorMessage: reason.slice(0, MAX_ERROR_LENGTH) };
}

/** Equal for equal calls: parsing has put the fields in one order. */
function digestOf(request: JobCompleteRequest): string {
  return createHash("sha256").update(JSON.stringify(request)).digest("hex");
}
