/**
 * Ends jobs that nobody will end: their agent vanished and they were handed out too often or are to be cancelled, it did
 * not stop when their time was over, or nobody is left who may do them.
 * Any number of replicas may run it: each job is looked at again under its lock.
 */

import { JOB_MAX_ATTEMPTS } from "#shared/protocol/limits.ts";
import type { Log } from "#shared/log.ts";
import {
  dropVainReservations,
  listAbandonedJobs,
  listCandidates,
  listOverdueJobs,
  type OpenJob,
  readRunningTime,
  requestStop,
} from "../store/job-pool.ts";
import { endJob, type JobOutcome, type JobRow, lockJob } from "../store/jobs.ts";
import { hasLeaseExpired, listLostJobs } from "../store/leases.ts";
import { lockScan } from "../store/scans.ts";
import type { Session, Store } from "../store/store.ts";
import { timedOut } from "./job-completion.ts";
import { settleScan } from "./scan-outcome.ts";
import { timeoutVerdict } from "./timeouts.ts";

/** How the job is to end; undefined when it may go on after all. */
type Decide = (session: Session, job: JobRow) => Promise<JobOutcome | undefined>;

export class Sweeper {
  private readonly store: Store;
  private readonly log: Log;

  constructor(store: Store, log: Log) {
    this.store = store;
    this.log = log;
  }

  /** One sweep. Returns how many jobs it ended. */
  async sweep(): Promise<number> {
    await this.store.transaction(dropVainReservations);
    return (
      (await this.endAll(listLostJobs, lostOutcome)) +
      (await this.endAll(listOverdueJobs, overdueOutcome)) +
      (await this.endAll((session) => listAbandonedJobs(session), abandonedOutcome))
    );
  }

  private async endAll(list: (session: Session) => Promise<OpenJob[]>, decide: Decide): Promise<number> {
    let ended = 0;
    for (const job of await this.store.run(list)) {
      if (await this.end(job.id, job.scan_id, decide)) ended++;
    }
    return ended;
  }

  private async end(jobId: number, scanId: number, decide: Decide): Promise<boolean> {
    const outcome = await this.store.transaction(async (session) => {
      await lockScan(session, scanId);
      const job = await lockJob(session, jobId);
      if (job === undefined || job.ended_at !== null) return undefined;
      const decided = await decide(session, job);
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

const lostOutcome: Decide = async (session, job) => {
  if (!(await hasLeaseExpired(session, job.id))) return undefined;
  if (job.cancel_requested_at !== null) {
    return { status: "cancelled", errorMessage: "cancelled; the scanner did not answer any more" };
  }
  if (job.attempt < JOB_MAX_ATTEMPTS) return undefined;
  return { status: "failed", errorMessage: `the scanner stopped answering, ${job.attempt} times` };
};

const overdueOutcome: Decide = async (session, job) => {
  const { running_ms, is_leased } = await readRunningTime(session, job.id);
  // Without a lease it is lost, and goes another way.
  if (job.status !== "running" || running_ms === null || !is_leased) return undefined;
  const verdict = timeoutVerdict(running_ms, job.timeout_seconds);
  if (verdict === "within") return undefined;
  if (verdict === "fail" && job.cancel_requested_at !== null) {
    return { status: "cancelled", errorMessage: "cancelled; the scanner did not stop" };
  }
  if (verdict === "fail")
    return { status: "failed", errorMessage: `${timedOut(job)}; the scanner did not stop` };
  await requestStop(session, job.id);
  return undefined;
};

const abandonedOutcome: Decide = async (session, job) => {
  // Somebody may have been enabled again, or have claimed it, since it was listed.
  const isAbandoned = (await listAbandonedJobs(session, job.id)).length > 0;
  if (!isAbandoned) return undefined;
  const reasons = (await listCandidates(session, [job.id])).map(
    ({ name, disabled_at }) => `'${name}' is ${disabled_at === null ? "not approved" : "disabled"}`,
  );
  const why = reasons.length === 0 ? "they were deleted" : reasons.slice(0, 10).join(", ");
  return { status: "failed", errorMessage: `no scanner is left that may do it: ${why}` };
};
