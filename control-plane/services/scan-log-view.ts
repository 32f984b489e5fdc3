/** How a scan's log lines look to operators. */

import type { ScanLog } from "#shared/protocol/administration.ts";
import type { ScanLogRow } from "../store/scan-logs.ts";
import { isoTime } from "./time.ts";

export function scanLogView(row: ScanLogRow): ScanLog {
  return {
    id: row.id,
    jobId: row.job_id,
    scannerId: row.scanner_id,
    timestamp: isoTime(row.at),
    level: row.level,
    message: row.message,
  };
}
