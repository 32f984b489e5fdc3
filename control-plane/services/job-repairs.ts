/** Jobs as operators see them, those that are stuck, and their repair by hand. */

import type { Log } from "#shared/log.ts";
import type { JobListItem, JobRepair, StuckClass, StuckJob } from "#shared/protocol/job-administration.ts";
import {
  findSuspectJob,
  type JobFilter,
  type ListedJobRow,
  listJobs,
  listSuspectJobs,
  type SuspectJobRow,
} from "../store/job-list.ts";
import { type Candidate, findLeastBusy, listCandidates, releaseJob } from "../store/job-pool.ts";
import { endJob, findJob, lockJob } from "../store/jobs.ts";
import { lockScan } from "../store/scans.ts";
import type { Session, Store } from "../store/store.ts";
import { recordAudit } from "./audit.ts";
import { jobListItem } from "./job-view.ts";
import { type Page, pageOf } from "./page.ts";
import { refusal } from "./refusal.ts";
import { settleScan } from "./scan-outcome.ts";
import { repairsOf, stuckClasses, type StuckScannerFacts } from "./stuck-jobs.ts";

/** Suspects read at a time; most are stuck. */
const BATCH = 500;

export class JobRepairs {
  private readonly store: Store;
  private readonly log: Log;

  constructor(store: Store, log: Log) {
    this.store = store;
    this.log = log;
  }

  /** Newest first. */
  async list(filter: JobFilter, limit: number, cursor: number | undefined): Promise<Page<JobListItem>> {
    return this.store.run(async (session) => {
      const page = { limit: limit + 1, before: cursor };
      const { rows, nextCursor } = pageOf(await listJobs(session, filter, page), limit);
      return { rows: rows.map(jobListItem), nextCursor };
    });
  }

  /** Oldest first. */
  async listStuck(only: StuckClass | undefined, limit: number, cursor = 0): Promise<Page<StuckJob>> {
    return this.store.run(async (session) => {
      const found: StuckJob[] = [];
      let after = cursor;
      while (found.length <= limit) {
        const suspects = await listSuspectJobs(session, { limit: BATCH, after });
        for (const job of await judge(session, suspects)) {
          if (job.classes.length > 0 && (only === undefined || job.classes.includes(only))) found.push(job);
        }
        after = suspects.at(-1)?.id ?? after;
        if (suspects.length < BATCH) break;
      }
      return pageOf(found, limit);
    });
  }

  /** Back to the pool, for whoever may take it. @throws PortolanError NOT_FOUND, JOB_ENDED, CONFLICT */
  async redispatch(id: number, actor: string): Promise<JobListItem> {
    return this.repair(id, "redispatch", actor, {}, async (session) => releaseJob(session, id, null));
  }

  /**
   * To another scanner of the same vantage point.
   * @param scannerId undefined: the one with the fewest active jobs
   * @throws PortolanError NOT_FOUND, JOB_ENDED, CONFLICT
   */
  async reassign(id: number, scannerId: number | undefined, actor: string): Promise<JobListItem> {
    return this.repair(id, "reassign", actor, { scannerId }, async (session, job) => {
      const others = await otherCandidates(session, job);
      const wanted =
        scannerId ??
        (await findLeastBusy(
          session,
          others.map((other) => other.id),
        ));
      if (wanted === undefined || !others.some((other) => other.id === wanted)) {
        const names = others.map(({ name }) => `'${name}'`).join(", ");
        throw refusal(
          "CONFLICT",
          `job ${id} can be reassigned to ${names} only: they look from where it looks`,
          {
            scannerIds: others.map((other) => other.id),
          },
        );
      }
      await releaseJob(session, id, wanted);
    });
  }

  /** It has failed; what was found is kept. @throws PortolanError NOT_FOUND, JOB_ENDED, CONFLICT */
  async fail(id: number, reason: string | undefined, actor: string): Promise<JobListItem> {
    return this.repair(id, "fail", actor, { reason }, async (session, job) => {
      const errorMessage = `failed by ${actor}${reason === undefined ? "" : `: ${reason}`}`;
      await endJob(session, id, { status: "failed", errorMessage });
      await settleScan(session, job.scan_id);
    });
  }

  private async repair(
    id: number,
    repair: JobRepair,
    actor: string,
    detail: Readonly<Record<string, unknown>>,
    work: (session: Session, job: SuspectJobRow) => Promise<void>,
  ): Promise<JobListItem> {
    const repaired = await this.store.transaction(async (session) => {
      const job = await holdStuckJob(session, id, repair);
      await work(session, job);
      await recordAudit(session, {
        actor,
        action: `job.${repair}`,
        object: `job:${id}`,
        detail: { ...detail, scanId: job.scan_id, scannerId: job.scanner_id },
      });
      const changed = await findSuspectJob(session, id);
      if (changed === undefined) throw new Error(`job ${id} is gone`);
      return jobListItem(changed);
    });
    this.log.info(`job.${repair}`, `Job ${id} was repaired: ${repair}`, { jobId: id, actor });
    return repaired;
  }
}

/** @throws PortolanError NOT_FOUND, JOB_ENDED, CONFLICT when the job is not stuck, or not so that this would help */
async function holdStuckJob(session: Session, id: number, repair: JobRepair): Promise<SuspectJobRow> {
  const unlocked = await findJob(session, id);
  if (unlocked !== undefined) await lockScan(session, unlocked.scan_id);
  await lockJob(session, id);
  const job = await findSuspectJob(session, id);
  if (job === undefined) throw refusal("NOT_FOUND", `no job ${id}`);
  if (job.ended_at !== null) {
    throw refusal("JOB_ENDED", `job ${id} has ended: ${job.status}`, { status: job.status });
  }
  const [judged] = await judge(session, [job]);
  const { classes = [], repairs = [] } = judged ?? {};
  if (repairs.includes(repair)) return job;
  const message =
    classes.length === 0
      ? `job ${id} is not stuck; cancel its scan to end it`
      : `job ${id} is ${classes.join(", ")}: possible is ${repairs.join(", ")}`;
  throw refusal("CONFLICT", message, { classes, repairs });
}

async function judge(session: Session, jobs: readonly SuspectJobRow[]): Promise<StuckJob[]> {
  const candidates = Map.groupBy(
    await listCandidates(
      session,
      jobs.map(({ id }) => id),
    ),
    ({ job_id }) => job_id,
  );
  return jobs.map((job) => {
    const able = candidates.get(job.id) ?? [];
    const classes = stuckClasses({
      status: job.status,
      nowMs: job.now_ms,
      createdAtMs: job.created_at,
      pendingSinceMs: job.pending_since,
      assignedAtMs: job.assigned_at,
      startedAtMs: job.started_at,
      estimateSeconds: job.estimate_seconds,
      scanners: job.status === "pending" ? able.map(factsOf) : [holderFacts(job)],
    });
    const hasOthers = able.some((scanner) => isOther(scanner, job));
    return { ...jobListItem(job), classes, repairs: repairsOf(classes, hasOthers) };
  });
}

async function otherCandidates(session: Session, job: SuspectJobRow): Promise<Candidate[]> {
  return (await listCandidates(session, [job.id])).filter((scanner) => isOther(scanner, job));
}

/** One that may work, and is not the one that has the job. A pending job is nobody's. */
function isOther(scanner: Candidate, job: ListedJobRow): boolean {
  if (scanner.disabled_at !== null || scanner.deleted_at !== null || scanner.unapproved_at !== null)
    return false;
  return job.status === "pending" || scanner.id !== job.scanner_id;
}

function factsOf(scanner: Candidate): StuckScannerFacts {
  return {
    isDisabled: scanner.disabled_at !== null,
    lastHeartbeatAtMs: scanner.last_heartbeat_at,
    isElsewhere: scanner.last_error_code === "IP_BINDING_VIOLATION",
    isOutdated: scanner.last_error_code === "AGENT_OUTDATED",
  };
}

function holderFacts(job: SuspectJobRow): StuckScannerFacts {
  return {
    isDisabled: job.scanner_disabled_at !== null,
    lastHeartbeatAtMs: job.scanner_heartbeat_at,
    isElsewhere: job.scanner_error_code === "IP_BINDING_VIOLATION",
    isOutdated: job.scanner_error_code === "AGENT_OUTDATED",
  };
}
