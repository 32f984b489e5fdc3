/** Queries on many jobs at once: lists with filters, and what all jobs of a scan come to. */

import { type ExpressionBuilder, sql } from "kysely";
import type { JobStatus } from "#shared/protocol/job.ts";
import {
  MIN_ESTIMATE_SECONDS,
  STUCK_AGE_MS,
  STUCK_ASSIGNED_MS,
  STUCK_PENDING_MS,
  STUCK_RUNNING_FACTOR,
  STUCK_SILENT_MS,
} from "#shared/protocol/limits.ts";
import { type JobRow, selectJobs } from "./jobs.ts";
import type { Session } from "./store.ts";
import type { Tables } from "./tables.ts";

export interface JobFilter {
  readonly status?: JobStatus | undefined;
  readonly scanId?: number | undefined;
  readonly scannerId?: number | undefined;
}

export interface ListedJobRow extends JobRow {
  readonly scan_name: string;
}

/** Newest first, those before the cursor. */
export async function listJobs(
  session: Session,
  filter: JobFilter,
  page: { readonly limit: number; readonly before: number | undefined },
): Promise<ListedJobRow[]> {
  let query = selectJobs(session)
    .select("scans.name as scan_name")
    .orderBy("jobs.id", "desc")
    .limit(page.limit);
  if (page.before !== undefined) query = query.where("jobs.id", "<", page.before);
  if (filter.status !== undefined) query = query.where("jobs.status", "=", filter.status);
  if (filter.scanId !== undefined) query = query.where("jobs.scan_id", "=", filter.scanId);
  if (filter.scannerId !== undefined) query = query.where("jobs.scanner_id", "=", filter.scannerId);
  return query.execute();
}

/** The first jobs of a scan. */
export async function listJobsOfScan(session: Session, scanId: number, limit: number): Promise<JobRow[]> {
  return selectJobs(session).where("jobs.scan_id", "=", scanId).orderBy("jobs.id").limit(limit).execute();
}

/** All jobs of a scan that are in one state. */
export interface JobSum {
  readonly scan_id: number;
  readonly status: JobStatus;
  readonly jobs: number;
  readonly probes: number;
  /** Probes, each job's by its coverage. */
  readonly covered: number;
  readonly progress: number;
}

export async function sumJobs({ db, dialect }: Session, scanIds: readonly number[]): Promise<JobSum[]> {
  if (scanIds.length === 0) return [];
  const integer = sql.raw(dialect.columnTypes.integer);
  return db
    .selectFrom("jobs")
    .select(["scan_id", "status"])
    .select((eb) => [
      eb.fn.countAll<number>().as("jobs"),
      sql<number>`cast(sum(probes) as ${integer})`.as("probes"),
      sql<number>`sum(probes * coverage)`.as("covered"),
      sql<number>`cast(sum(progress_count) as ${integer})`.as("progress"),
    ])
    .where("scan_id", "in", scanIds)
    .groupBy(["scan_id", "status"])
    .execute();
}

/** Whether a job of the scan has not ended. */
export async function hasOpenJobs({ db }: Session, scanId: number): Promise<boolean> {
  const row = await db
    .selectFrom("jobs")
    .select("id")
    .where("scan_id", "=", scanId)
    .where("ended_at", "is", null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Ended jobs of the scan that are not completed, the first of them. */
export async function listUnfinishedJobs(
  session: Session,
  scanId: number,
  limit: number,
): Promise<Pick<JobRow, "status" | "scanner_name" | "error_message">[]> {
  return selectJobs(session)
    .where("jobs.scan_id", "=", scanId)
    .where("jobs.ended_at", "is not", null)
    .where("jobs.status", "!=", "completed")
    .orderBy("jobs.id")
    .limit(limit)
    .execute();
}

/** A job with what its class depends on. */
export interface SuspectJobRow extends ListedJobRow {
  readonly now_ms: number;
  readonly scanner_disabled_at: number | null;
  readonly scanner_heartbeat_at: number | null;
  readonly scanner_error_code: string | null;
  readonly scanner_version: string | null;
}

/**
 * Open jobs that may be stuck, oldest first, those after the cursor: all that are, and some that are not.
 * `stuck-jobs.ts` of the services decides.
 */
export async function listSuspectJobs(
  session: Session,
  page: { readonly limit: number; readonly after: number },
): Promise<SuspectJobRow[]> {
  const { dialect } = session;
  const now = dialect.nowMs();
  return selectSuspects(session)
    .where("jobs.ended_at", "is", null)
    .where("jobs.id", ">", page.after)
    .where((eb) =>
      eb.or([
        passed(eb, "jobs.created_at", STUCK_AGE_MS, now),
        eb.and([eb("jobs.status", "=", "pending"), passed(eb, "jobs.pending_since", STUCK_PENDING_MS, now)]),
        eb.and([eb("jobs.status", "=", "assigned"), passed(eb, "jobs.assigned_at", STUCK_ASSIGNED_MS, now)]),
        eb.and([
          eb("jobs.status", "=", "running"),
          sql<boolean>`jobs.started_at + ${sql.lit(STUCK_RUNNING_FACTOR * 1_000)} *
            case when jobs.estimate_seconds < ${sql.lit(MIN_ESTIMATE_SECONDS)} then ${sql.lit(MIN_ESTIMATE_SECONDS)}
            else jobs.estimate_seconds end <= ${now}`,
        ]),
        eb("scanners.disabled_at", "is not", null),
        eb("scanners.last_error_code", "in", ["IP_BINDING_VIOLATION", "AGENT_OUTDATED"]),
        eb.and([
          eb("jobs.status", "!=", "pending"),
          passed(eb, "scanners.last_heartbeat_at", STUCK_SILENT_MS, now),
        ]),
      ]),
    )
    .orderBy("jobs.id")
    .limit(page.limit)
    .execute();
}

export async function findSuspectJob(session: Session, id: number): Promise<SuspectJobRow | undefined> {
  return selectSuspects(session).where("jobs.id", "=", id).executeTakeFirst();
}

function selectSuspects(session: Session) {
  return selectJobs(session).select([
    "scans.name as scan_name",
    session.dialect.nowMs().as("now_ms"),
    "scanners.disabled_at as scanner_disabled_at",
    "scanners.last_heartbeat_at as scanner_heartbeat_at",
    "scanners.last_error_code as scanner_error_code",
    "scanners.version as scanner_version",
  ]);
}

type SuspectTime =
  "jobs.created_at" | "jobs.pending_since" | "jobs.assigned_at" | "scanners.last_heartbeat_at";

function passed(
  eb: ExpressionBuilder<Tables, "jobs" | "scanners">,
  since: SuspectTime,
  ms: number,
  now: ReturnType<Session["dialect"]["nowMs"]>,
) {
  return eb(since, "<=", sql<number>`${now} - ${sql.lit(ms)}`);
}
