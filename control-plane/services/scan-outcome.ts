/** When all jobs of a scan have ended, so has the scan: this decides how, and which changes of its state there are. */

import { MAX_ERROR_LENGTH } from "#shared/protocol/limits.ts";
import type { ScanStatus } from "#shared/protocol/operator.ts";
import { hasOpenJobs, listUnfinishedJobs } from "../store/job-list.ts";
import type { JobRow } from "../store/jobs.ts";
import { endScan, findScan } from "../store/scans.ts";
import type { Session } from "../store/store.ts";

export interface ScanOutcome {
  readonly status: ScanStatus;
  readonly errorMessage: string | null;
}

type EndedJob = Pick<JobRow, "status" | "scanner_name" | "error_message">;

/** Reasons that an error message can hold. */
const MAX_REASONS = 50;

/** What may follow a state. A scan that nobody began can fail, and be cancelled, but not be completed. */
export const SCAN_TRANSITIONS: Readonly<Record<ScanStatus, readonly ScanStatus[]>> = {
  planned: ["running", "failed", "cancelled"],
  running: ["completed", "failed", "cancelled"],
  completed: [],
  failed: [],
  cancelled: [],
};

/**
 * Ends the scan if its last job has ended. The caller holds the scan's lock, or two jobs that end at the same time
 * would each take the other for running.
 */
export async function settleScan(session: Session, scanId: number): Promise<void> {
  const scan = await findScan(session, scanId);
  if (scan === undefined || scan.ended_at !== null || (await hasOpenJobs(session, scanId))) return;
  const unfinished = await listUnfinishedJobs(session, scanId, MAX_REASONS);
  const outcome = scanOutcome(unfinished, scan.cancel_requested_at !== null);
  if (!SCAN_TRANSITIONS[scan.status].includes(outcome.status)) {
    throw new Error(`scan ${scanId} cannot go from ${scan.status} to ${outcome.status}`);
  }
  await endScan(session, scanId, outcome);
}

/**
 * Completed only if every job did; a scan that was done before its cancel reached it is complete.
 * @param jobs that have ended; those that are completed need not be among them
 */
export function scanOutcome(jobs: readonly EndedJob[], isCancelRequested: boolean): ScanOutcome {
  const unfinished = jobs.filter((job) => job.status !== "completed");
  if (unfinished.length === 0) return { status: "completed", errorMessage: null };
  if (isCancelRequested) return { status: "cancelled", errorMessage: null };
  const reasons = unfinished.map((job) => `${job.scanner_name}: ${job.error_message ?? job.status}`);
  return { status: "failed", errorMessage: [...new Set(reasons)].join("; ").slice(0, MAX_ERROR_LENGTH) };
}
