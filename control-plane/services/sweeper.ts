/**
 * Ends jobs that nobody will end: their agent vanished, and they were handed out too often or are to be cancelled.
 * Any number of replicas may run it: each job is looked at again under its lock.
 */

import { JOB_MAX_ATTEMPTS } from "#shared/protocol/limits.ts";
import type { Log } from "#shared/log.ts";
import { endJob, type JobOutcome, type JobRow, lockJob } from "../store/jobs.ts";
import { hasLeaseExpired, listLostJobs } from "../store/leases.ts";
import { lockScan } from "../store/scans.ts";
import type { Store } from "../store/store.ts";
import { settleScan } from "./scan-outcome.ts";

export class Sweeper {
  private readonly store: Store;
  private readonly log: Log;

  constructor(store: Store, log: Log) {
    this.store = store;
    this.log = log;
  }

  /** One sweep. Returns how many jobs it ended. */
  async sweep(): Promise<number> {
    let ended = 0;
    for (const job of await this.store.run(listLostJobs)) {
      if (await this.end(job.id, job.scan_id)) ended++;
    }
    return ended;
  }

  private async end(jobId: number, scanId: number): Promise<boolean> {
    const outcome = await this.store.transaction(async (session) => {
      await lockScan(session, scanId);
      const job = await lockJob(session, jobId);
      if (job === undefined || job.ended_at !== null || !(await hasLeaseExpired(session, jobId)))
        return undefined;
      const decided = outcomeOf(job);
      if (decided === undefined) return undefined;
      await endJob(session, jobId, decided);
      await settleScan(session, scanId);
      return decided;
    });
    if (outcome === undefined) return false;
    this.log.warning("job.lost", `Job ${jobId} was given up: ${outcome.errorMessage}`, { jobId, scanId });
    return true;
  }
}

function outcomeOf(job: JobRow): JobOutcome | undefined {
  if (job.cancel_requested_at !== null) {
    return { status: "cancelled", errorMessage: "cancelled; the scanner did not answer any more" };
  }
  if (job.attempt < JOB_MAX_ATTEMPTS) return undefined;
  return { status: "failed", errorMessage: `the scanner stopped answering, ${job.attempt} times` };
}
