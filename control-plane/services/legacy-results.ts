/**
 * Results by scan instead of by job, as scanners of the older protocol send them: no lease, no batch numbers. Merging
 * makes a repeat harmless, so none are needed.
 */

import { createHash } from "node:crypto";
import type { LegacyResultsRequest } from "#shared/protocol/legacy.ts";
import {
  endJob,
  findJobInScan,
  type JobRow,
  type LeasedJobRow,
  listHeldJobs,
  lockJob,
} from "../store/jobs.ts";
import { markJobRunning, renewLease } from "../store/leases.ts";
import type { Observation } from "../store/result-merge.ts";
import type { ScannerRow } from "../store/scanners.ts";
import { lockScan, markScanRunning } from "../store/scans.ts";
import type { Session, Store } from "../store/store.ts";
import { ingestResults } from "./ingest.ts";
import type { JobScope } from "./job-scope.ts";
import { JobScopes } from "./job-scopes.ts";
import { observationsOf } from "./observations.ts";
import { refusal } from "./refusal.ts";
import { settleScan } from "./scan-outcome.ts";

/** Stands by the job: it counts as completed because the scanner says so, with the coverage that is known. */
const UNCOUNTED = "the scanner says that it is done; this protocol does not count probes";

export class LegacyResults {
  private readonly store: Store;
  private readonly scopes = new JobScopes();

  constructor(store: Store) {
    this.store = store;
  }

  /**
   * A scan may be cut into several jobs: each result goes to the one of those claimed that it is of, and `complete` ends
   * all of those.
   * @throws PortolanError NOT_FOUND without a job in the scan, JOB_ENDED, INVALID_REQUEST for what lies outside
   */
  async accept(scanner: ScannerRow, request: LegacyResultsRequest): Promise<void> {
    const digest = createHash("sha256").update(JSON.stringify(request)).digest("hex");
    await this.store.transaction(async (session) => {
      await lockScan(session, request.scanId);
      const held: LeasedJobRow[] = [];
      for (const { id } of await listHeldJobs(session, request.scanId, scanner.id)) {
        const job = await lockJob(session, id);
        if (job !== undefined) held.push(job);
      }
      const [first] = held;
      if (first === undefined) {
        refuseUnheld(
          await findJobInScan(session, request.scanId, scanner.id, digest),
          digest,
          scanner,
          request,
        );
        return;
      }
      for (const job of held) {
        await renewLease(session, job.id);
        await markJobRunning(session, job.id);
      }
      await markScanRunning(session, request.scanId);
      for (const [job, own] of await this.byJob(session, held, first, observationsOf(request.results))) {
        await ingestResults(session, this.scopes, job, own);
      }
      if (!request.complete) return;
      for (const job of held) {
        await endJob(session, job.id, {
          status: "completed",
          errorMessage: UNCOUNTED,
          completionDigest: digest,
        });
      }
      await settleScan(session, request.scanId);
    });
  }

  /** What no job is about is left to the first, which refuses it. */
  private async byJob(
    session: Session,
    held: readonly LeasedJobRow[],
    first: LeasedJobRow,
    observations: readonly Observation[],
  ): Promise<ReadonlyMap<LeasedJobRow, Observation[]>> {
    const scopes: { readonly job: LeasedJobRow; readonly scope: JobScope }[] = [];
    for (const job of held) scopes.push({ job, scope: (await this.scopes.of(session, job.id)).scope });
    return Map.groupBy(
      observations,
      (observation) => scopes.find(({ scope }) => scope.holds(observation))?.job ?? first,
    );
  }
}

/** Returns when the call is the repeat of one that ended the job. */
function refuseUnheld(
  job: JobRow | undefined,
  digest: string,
  scanner: ScannerRow,
  { scanId }: LegacyResultsRequest,
): void {
  if (job === undefined) throw refusal("NOT_FOUND", `scanner '${scanner.name}' has no job in scan ${scanId}`);
  if (job.completion_digest === digest) return;
  if (job.ended_at === null) throw refusal("JOB_NOT_YOURS", `job ${job.id} has not been claimed`);
  throw refusal("JOB_ENDED", `job ${job.id} has ended: ${job.status}`, { status: job.status });
}
