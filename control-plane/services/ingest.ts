/** Takes in results: checks that they belong to the job, and merges them. */

import { formatAddressBytes } from "#shared/net/address-bytes.ts";
import { protocolOf } from "../store/endpoint-key.ts";
import { countStoredResults } from "../store/job-scopes.ts";
import type { JobRow } from "../store/jobs.ts";
import { mergeResults, type Observation } from "../store/result-merge.ts";
import type { Session } from "../store/store.ts";
import type { JobScope } from "./job-scope.ts";
import type { JobScopes } from "./job-scopes.ts";
import { refusal } from "./refusal.ts";

/** @throws PortolanError INVALID_REQUEST when one result lies outside the job; then none is taken */
export async function ingestResults(
  session: Session,
  scopes: JobScopes,
  job: Pick<JobRow, "id" | "scan_id" | "scanner_id">,
  observations: readonly Observation[],
): Promise<void> {
  const { scope, at, vantageId } = await scopes.of(session, job.id);
  requireWithin(scope, observations);
  const observer = { scanId: job.scan_id, at, vantageId, scannerId: job.scanner_id };
  const added = await mergeResults(session, observer, observations);
  if (added > 0) await countStoredResults(session, job.id, added);
}

function requireWithin(scope: JobScope, observations: readonly Observation[]): void {
  const outside = observations.find((observation) => !scope.holds(observation));
  if (outside === undefined) return;
  const address = formatAddressBytes(outside.address);
  const protocol = protocolOf(outside.protocol);
  const { port } = outside;
  const message = `${address} port ${port}/${protocol} is not among the job's targets`;
  throw refusal("INVALID_REQUEST", message, { address, port, protocol });
}
