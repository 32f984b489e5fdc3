/**
 * Results by scan instead of by job, as scanners of the older protocol send them: no lease, no batch numbers. Merging
 * makes a repeat harmless, so none are needed.
 */

import { createHash } from "node:crypto";
import type { LegacyResultsRequest } from "#shared/protocol/legacy.ts";
import { endJob, findJobInScan, lockJob } from "../store/jobs.ts";
import { markJobRunning, renewLease } from "../store/leases.ts";
import type { ScannerRow } from "../store/scanners.ts";
import { lockScan, markScanRunning } from "../store/scans.ts";
import type { Store } from "../store/store.ts";
import { ingestResults } from "./ingest.ts";
import { refusal } from "./refusal.ts";
import { settleScan } from "./scan-outcome.ts";

/** Stands by the job: it counts as completed because the scanner says so, with the coverage that is known. */
const UNCOUNTED = "the scanner says that it is done; this protocol does not count probes";

export class LegacyResults {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  /** @throws PortolanError NOT_FOUND without a job in the scan, JOB_ENDED, INVALID_REQUEST for what lies outside */
  async accept(scanner: ScannerRow, request: LegacyResultsRequest): Promise<void> {
    const digest = createHash("sha256").update(JSON.stringify(request)).digest("hex");
    await this.store.transaction(async (session) => {
      await lockScan(session, request.scanId);
      const found = await findJobInScan(session, request.scanId, scanner.id);
      const job = found === undefined ? undefined : await lockJob(session, found.id);
      if (job === undefined) {
        throw refusal("NOT_FOUND", `scanner '${scanner.name}' has no job in scan ${request.scanId}`);
      }
      if (job.ended_at !== null) {
        if (job.completion_digest === digest) return;
        throw refusal("JOB_ENDED", `job ${job.id} has ended: ${job.status}`, { status: job.status });
      }
      if (job.lease_id === null) throw refusal("JOB_NOT_YOURS", `job ${job.id} has not been claimed`);
      await renewLease(session, job.id);
      await markJobRunning(session, job.id);
      await markScanRunning(session, job.scan_id);
      await ingestResults(session, job, request.results);
      if (!request.complete) return;
      await endJob(session, job.id, {
        status: "completed",
        errorMessage: UNCOUNTED,
        completionDigest: digest,
      });
      await settleScan(session, job.scan_id);
    });
  }
}
