/** How scans and their jobs look to operators. */

import { z } from "zod";
import { scanSummarySchema } from "#shared/protocol/job.ts";
import type { ScanProgress } from "#shared/protocol/administration.ts";
import type { ScanView } from "#shared/protocol/operator.ts";
import type { JobSum } from "../store/job-list.ts";
import type { JobRow } from "../store/jobs.ts";
import type { ScanRow } from "../store/scans.ts";
import { readJson } from "./stored-json.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

type JobProgress = ScanProgress["jobs"][number];
export type ScanListItem = Omit<ScanView, "jobs">;

const textsSchema = z.array(z.string());

function jobProgress(job: JobRow): JobProgress {
  return {
    id: job.id,
    scannerId: job.scanner_id,
    scannerName: job.scanner_name,
    status: job.status,
    attempt: job.attempt,
    progressCount: job.progress_count,
    resultCount: job.result_count,
    coverage: job.coverage,
    errorMessage: job.error_message,
  };
}

/** @param sums of all jobs of the scan */
export function scanListItem(scan: ScanRow, sums: readonly JobSum[], resultCount: number): ScanListItem {
  return {
    id: scan.id,
    name: scan.name,
    status: scan.status,
    engine: scan.engine,
    serviceDetection: scan.service_detection === 1,
    priority: scan.priority,
    templateId: scan.template_id,
    scheduleId: scan.schedule_id,
    targets: readJson(textsSchema, scan.targets),
    ports: scan.ports,
    probes: scan.probes,
    jobCounts: jobCounts(sums),
    coverage: meanCoverage(sums),
    resultCount,
    errorMessage: scan.error_message,
    createdBy: scan.created_by,
    createdAt: isoTime(scan.created_at),
    startedAt: isoTimeOrNull(scan.started_at),
    endedAt: isoTimeOrNull(scan.ended_at),
  };
}

/** @param jobs the first of the scan */
export function scanView(
  scan: ScanRow,
  sums: readonly JobSum[],
  jobs: readonly JobRow[],
  resultCount: number,
): ScanView {
  const jobViews = jobs.map((job) => ({
    ...jobProgress(job),
    summary: job.summary === null ? null : readJson(scanSummarySchema, job.summary),
  }));
  return { ...scanListItem(scan, sums, resultCount), jobs: jobViews };
}

/** @param jobs the first of the scan */
export function scanProgress(
  scan: ScanRow,
  sums: readonly JobSum[],
  jobs: readonly JobRow[],
  resultCount: number,
): ScanProgress {
  return {
    scanId: scan.id,
    status: scan.status,
    probes: scan.probes,
    progressCount: sums.reduce((all, { progress }) => all + progress, 0),
    coverage: meanCoverage(sums),
    resultCount,
    jobs: jobs.map(jobProgress),
  };
}

function jobCounts(sums: readonly JobSum[]): ScanListItem["jobCounts"] {
  const counts = { pending: 0, assigned: 0, running: 0, completed: 0, failed: 0, cancelled: 0 };
  for (const { status, jobs } of sums) counts[status] = jobs;
  return counts;
}

/** Weighted by probes. */
function meanCoverage(sums: readonly JobSum[]): number {
  let planned = 0;
  let covered = 0;
  for (const sum of sums) {
    planned += sum.probes;
    covered += sum.covered;
  }
  return planned === 0 ? 0 : Math.min(1, covered / planned);
}
