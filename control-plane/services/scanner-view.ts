/** How a scanner looks to operators: its row, and the status that follows from it and the database's time. */

import type { z } from "zod";
import { OFFLINE_AFTER_MS } from "#shared/protocol/limits.ts";
import type { ScannerStatus, ScannerView } from "#shared/protocol/operator.ts";
import { capabilitiesSchema, hostMetricsSchema } from "#shared/protocol/scanner.ts";
import type { ScannerRow } from "../store/scanners.ts";
import { readJson } from "./stored-json.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

const metricsSchema: z.ZodType<ScannerView["metrics"]> = hostMetricsSchema.partial().nullable();

export function scannerStatus(row: ScannerRow): ScannerStatus {
  if (row.disabled_at !== null) return "disabled";
  if (row.registered_at === null) return "pending";
  if (row.unapproved_at !== null) return "unapproved";
  const seenAtMs = row.last_heartbeat_at ?? row.registered_at;
  return row.now_ms - seenAtMs < OFFLINE_AFTER_MS ? "active" : "offline";
}

export function scannerView(row: ScannerRow): ScannerView {
  const { last_error_at: errorAt, last_error_code: errorCode } = row;
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    status: scannerStatus(row),
    rateLimit: row.rate_limit,
    binding: { mode: row.binding_mode, value: row.binding_value, mismatchCount: row.mismatch_count },
    version: row.version,
    hostname: row.hostname,
    internalIp: row.internal_ip,
    externalIp: row.external_ip,
    capabilities: readJson(capabilitiesSchema, row.capabilities),
    lastHeartbeatAt: isoTimeOrNull(row.last_heartbeat_at),
    lastAuthError:
      errorAt === null || errorCode === null
        ? null
        : { at: isoTime(errorAt), code: errorCode, address: row.last_error_address ?? "" },
    metrics: row.metrics === null ? null : readJson(metricsSchema, row.metrics),
    activeJobs: row.active_jobs,
    keyRotationRequestedAt: isoTimeOrNull(row.rotation_requested_at),
    createdBy: row.created_by,
    createdAt: isoTime(row.created_at),
  };
}
