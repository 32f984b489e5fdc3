/** How a job ends: never as completed when anything it was asked for is missing, and always with the reason. */

import type { JobCompleteRequest, ScanSummary } from "#shared/protocol/job.ts";
import { MAX_ERROR_LENGTH } from "#shared/protocol/limits.ts";

export interface JobEnd {
  readonly cancelled: boolean;
  /** What went wrong in the agent itself; undefined where nothing did. */
  readonly failure: string | undefined;
  /** Of all the job's scans together; undefined where none was run. */
  readonly summary: ScanSummary | undefined;
  readonly resultCount: number;
  readonly scanTimeoutSeconds: number;
}

export function completionOf(end: JobEnd): Omit<JobCompleteRequest, "leaseId"> {
  const { summary, resultCount } = end;
  const found = { resultCount, ...(summary === undefined ? {} : { summary }) };
  if (end.cancelled) return { status: "cancelled", ...found };
  const problem = end.failure ?? problemOf(summary, end.scanTimeoutSeconds);
  if (problem === undefined) return { status: "completed", ...found };
  return { status: "failed", errorMessage: problem.slice(0, MAX_ERROR_LENGTH), ...found };
}

/** Why a scan that ended may not be called completed; undefined where it may. */
function problemOf(summary: ScanSummary | undefined, scanTimeoutSeconds: number): string | undefined {
  if (summary === undefined) return "nothing was scanned";
  const coverage = `${(summary.coverage * 100).toFixed(1)} % of the probes were sent`;
  if (summary.ended === "timed-out") return `timed out after ${scanTimeoutSeconds} s; ${coverage}`;
  if (!summary.partial) return undefined;
  const lost = summary.kernelDrops > 0 ? `, ${summary.kernelDrops} answers were lost on this host` : "";
  return `incomplete: ${coverage}${lost}`;
}
