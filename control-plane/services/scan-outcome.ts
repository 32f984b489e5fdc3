/** When all jobs of a scan have ended, so has the scan: this decides how. */

import { MAX_ERROR_LENGTH } from "#shared/protocol/limits.ts";
import type { ScanStatus } from "#shared/protocol/operator.ts";
import { type JobRow, listJobsOfScans } from "../store/jobs.ts";
import { endScan, findScan } from "../store/scans.ts";
import type { Session } from "../store/store.ts";

export interface ScanOutcome {
  readonly status: ScanStatus;
  readonly errorMessage: string | null;
}

type EndedJob = Pick<JobRow, "status" | "scanner_name" | "error_message">;

/**
 * Ends the scan if its last job has ended. The caller holds the scan's lock, or two jobs that end at the same time
 * would each take the other for running.
 */
export async function settleScan(session: Session, scanId: number): Promise<void> {
  const scan = await findScan(session, scanId);
  if (scan === undefined || scan.ended_at !== null) return;
  const jobs = await listJobsOfScans(session, [scanId]);
  if (jobs.some((job) => job.ended_at === null)) return;
  await endScan(session, scanId, scanOutcome(jobs, scan.cancel_requested_at !== null));
}

/** Completed only if every job did; a scan that was done before its cancel reached it is complete. */
export function scanOutcome(jobs: readonly EndedJob[], isCancelRequested: boolean): ScanOutcome {
  const unfinished = jobs.filter((job) => job.status !== "completed");
  if (unfinished.length === 0) return { status: "completed", errorMessage: null };
  if (isCancelRequested) return { status: "cancelled", errorMessage: null };
  const reasons = unfinished.map((job) => `${job.scanner_name}: ${job.error_message ?? job.status}`);
  return { status: "failed", errorMessage: reasons.join("; ").slice(0, MAX_ERROR_LENGTH) };
}
