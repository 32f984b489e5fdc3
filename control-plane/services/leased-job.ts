/**
 * The rules that every call about a job shares: whose it is, whether its lease still stands, what the answer says.
 * A lease that ran out still stands while nobody else was given one: the agent was slow, and nothing is lost.
 */

import type { JobDirective } from "#shared/protocol/job.ts";
import { findJob, type LeasedJobRow, lockJob } from "../store/jobs.ts";
import { renewLease } from "../store/leases.ts";
import type { ScannerRow } from "../store/scanners.ts";
import { lockScan } from "../store/scans.ts";
import type { Session } from "../store/store.ts";
import { jobRatePps } from "./rates.ts";
import { refusal } from "./refusal.ts";

export interface JobCall {
  readonly scanner: ScannerRow;
  readonly jobId: number;
  readonly leaseId: string;
}

/** The job, locked, and its lease renewed. */
export interface HeldJob {
  readonly job: LeasedJobRow;
  /** True when the job has ended, and this call is the exact repeat of one it was given. */
  readonly isRepeat: boolean;
}

/**
 * @param locks `job`, or `scan` for calls that also change the scan: whoever needs both locks the scan first
 * @param isRepeat asked only of a job that has ended
 * @throws PortolanError NOT_FOUND, JOB_NOT_YOURS, JOB_ENDED
 */
export async function holdJob(
  session: Session,
  call: JobCall,
  locks: "job" | "scan",
  isRepeat: (job: LeasedJobRow) => Promise<boolean> | boolean,
): Promise<HeldJob> {
  if (locks === "scan") {
    const unlocked = await findJob(session, call.jobId);
    if (unlocked !== undefined) await lockScan(session, unlocked.scan_id);
  }
  const job = await lockJob(session, call.jobId);
  if (job === undefined) throw refusal("NOT_FOUND", `no job ${call.jobId}`);
  const isHolder = job.scanner_id === call.scanner.id && job.lease_id === call.leaseId;
  if (job.ended_at !== null) {
    if (isHolder && (await isRepeat(job))) return { job, isRepeat: true };
    throw refusal("JOB_ENDED", `job ${job.id} has ended: ${job.status}`, { status: job.status });
  }
  if (!isHolder) {
    throw refusal(
      "JOB_NOT_YOURS",
      `job ${job.id} is not held under this lease; it may have been handed to another agent`,
    );
  }
  await renewLease(session, job.id);
  return { job, isRepeat: false };
}

/** What the agent is to know after any call about the job. */
export function directive(job: LeasedJobRow): JobDirective {
  return {
    ok: true,
    cancel: job.cancel_requested_at !== null || job.stop_requested_at !== null,
    ...jobRates(job),
  };
}

/** How fast the job may go now: others begin and end beside it. */
export function jobRates(
  job: LeasedJobRow,
): Required<Pick<JobDirective, "maxProbesPerSecond" | "scannerProbesPerSecond">> {
  const maxProbesPerSecond = jobRatePps({
    scopeLimitPps: job.rate_pps,
    jobsInScope: job.jobs_in_scope,
    scannerLimitPps: job.scanner_rate_limit,
    jobsOfScanner: job.jobs_of_scanner,
  });
  return { maxProbesPerSecond, scannerProbesPerSecond: job.scanner_rate_limit };
}
