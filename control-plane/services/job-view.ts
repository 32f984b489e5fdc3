/** How a job looks to operators when it is listed by itself. */

import type { JobListItem } from "#shared/protocol/job-administration.ts";
import type { ListedJobRow } from "../store/job-list.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

export function jobListItem(job: ListedJobRow): JobListItem {
  return {
    id: job.id,
    scanId: job.scan_id,
    scanName: job.scan_name,
    scannerId: job.scanner_id,
    scannerName: job.scanner_name,
    vantage: job.vantage_key,
    status: job.status,
    priority: job.priority,
    attempt: job.attempt,
    probes: job.probes,
    maxProbesPerSecond: job.rate_pps,
    estimateSeconds: job.estimate_seconds,
    progressCount: job.progress_count,
    resultCount: job.result_count,
    coverage: job.coverage,
    errorMessage: job.error_message,
    createdAt: isoTime(job.created_at),
    startedAt: isoTimeOrNull(job.started_at),
    endedAt: isoTimeOrNull(job.ended_at),
  };
}
