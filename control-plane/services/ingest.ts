/** Takes in results: checks that they belong to the job, and merges them. */

import type { PortResult } from "#shared/protocol/job.ts";
import { findJobTargets, type JobRow } from "../store/jobs.ts";
import { mergeResults, type NewResult } from "../store/results.ts";
import type { Session } from "../store/store.ts";
import { requireWithinScope } from "./job-scope.ts";

/** @throws PortolanError INVALID_REQUEST when one result lies outside the job; then none is taken */
export async function ingestResults(
  session: Session,
  job: JobRow,
  results: readonly PortResult[],
): Promise<void> {
  requireWithinScope(await findJobTargets(session, job.id), results);
  await mergeResults(
    session,
    results.map((result) => toRow(job, result)),
  );
}

function toRow(job: JobRow, result: PortResult): NewResult {
  const observedAtMs = Date.parse(result.observedAt);
  return {
    scan_id: job.scan_id,
    scanner_id: job.scanner_id,
    address: result.address,
    protocol: result.protocol,
    port: result.port,
    state: result.state,
    reason: result.reason,
    ttl: result.ttl ?? null,
    service: result.service ?? null,
    product: result.product ?? null,
    version: result.version ?? null,
    cpe: result.cpe ?? null,
    banner: result.banner ?? null,
    mac_address: result.macAddress ?? null,
    mac_vendor: result.macVendor ?? null,
    first_seen: observedAtMs,
    last_seen: observedAtMs,
  };
}
