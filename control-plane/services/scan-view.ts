/** How scans, their jobs and their results look to operators. */

import { z } from "zod";
import { scanSummarySchema } from "#shared/protocol/job.ts";
import type { ScanProgress } from "#shared/protocol/administration.ts";
import type { ResultView, ScanView } from "#shared/protocol/operator.ts";
import type { JobRow } from "../store/jobs.ts";
import type { ResultRow } from "../store/results.ts";
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

export function scanListItem(scan: ScanRow, jobs: readonly JobRow[], resultCount: number): ScanListItem {
  return {
    id: scan.id,
    name: scan.name,
    status: scan.status,
    targets: readJson(textsSchema, scan.targets),
    ports: scan.ports,
    probes: scan.probes,
    coverage: meanCoverage(jobs),
    resultCount,
    errorMessage: scan.error_message,
    createdBy: scan.created_by,
    createdAt: isoTime(scan.created_at),
    startedAt: isoTimeOrNull(scan.started_at),
    endedAt: isoTimeOrNull(scan.ended_at),
  };
}

export function scanView(scan: ScanRow, jobs: readonly JobRow[], resultCount: number): ScanView {
  const jobViews = jobs.map((job) => ({
    ...jobProgress(job),
    summary: job.summary === null ? null : readJson(scanSummarySchema, job.summary),
  }));
  return { ...scanListItem(scan, jobs, resultCount), jobs: jobViews };
}

export function scanProgress(scan: ScanRow, jobs: readonly JobRow[], resultCount: number): ScanProgress {
  return {
    scanId: scan.id,
    status: scan.status,
    probes: scan.probes,
    progressCount: jobs.reduce((sum, job) => sum + job.progress_count, 0),
    coverage: meanCoverage(jobs),
    resultCount,
    jobs: jobs.map(jobProgress),
  };
}

/** Weighted by probes. */
function meanCoverage(jobs: readonly JobRow[]): number {
  let planned = 0;
  let covered = 0;
  for (const job of jobs) {
    planned += job.probes;
    covered += job.probes * job.coverage;
  }
  return planned === 0 ? 0 : Math.min(1, covered / planned);
}

/** Fields that nothing is known about are absent, as on the way in. */
export function resultView(row: ResultRow): ResultView {
  return {
    id: row.id,
    scannerId: row.scanner_id,
    address: row.address,
    port: row.port,
    protocol: row.protocol,
    state: row.state,
    reason: row.reason,
    ttl: row.ttl ?? undefined,
    service: row.service ?? undefined,
    product: row.product ?? undefined,
    version: row.version ?? undefined,
    cpe: row.cpe ?? undefined,
    banner: row.banner ?? undefined,
    macAddress: row.mac_address ?? undefined,
    macVendor: row.mac_vendor ?? undefined,
    firstSeen: isoTime(row.first_seen),
    lastSeen: isoTime(row.last_seen),
  };
}
