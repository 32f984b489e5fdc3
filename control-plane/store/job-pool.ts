/**
 * Queries on what brings a job back to the pool, or shows that nobody will take it from there: repairs by operators,
 * candidates that are gone, agents that do not stop.
 */

import { sql } from "kysely";
import { STUCK_PENDING_MS, TIMEOUT_GRACE_MS } from "#shared/protocol/limits.ts";
import { announceJobs } from "./job-notices.ts";
import { mayWork } from "./leases.ts";
import type { Session } from "./store.ts";

/** Rows that one sweep deals with. */
const MAX_ROWS = 1_000;

export interface OpenJob {
  readonly id: number;
  readonly scan_id: number;
}

export interface Candidate {
  readonly id: number;
  readonly name: string;
  readonly disabled_at: number | null;
  readonly deleted_at: number | null;
  readonly unapproved_at: number | null;
  readonly last_heartbeat_at: number | null;
  readonly last_error_code: string | null;
  readonly version: string | null;
}

/** Who may do the job, first of all those that may work. */
export async function listCandidates(
  { db }: Session,
  jobIds: readonly number[],
): Promise<(Candidate & { job_id: number })[]> {
  if (jobIds.length === 0) return [];
  return db
    .selectFrom("job_scanners")
    .innerJoin("scanners", "scanners.id", "job_scanners.scanner_id")
    .select([
      "job_scanners.job_id",
      "scanners.id",
      "scanners.name",
      "scanners.disabled_at",
      "scanners.deleted_at",
      "scanners.unapproved_at",
      "scanners.last_heartbeat_at",
      "scanners.last_error_code",
      "scanners.version",
    ])
    .where("job_scanners.job_id", "in", jobIds)
    .orderBy("job_scanners.job_id")
    .orderBy("scanners.id")
    .execute();
}

/** The job may be claimed anew; whoever had it has it no more. @param reservedFor the one who is to take it */
export async function releaseJob(session: Session, jobId: number, reservedFor: number | null): Promise<void> {
  const { db, dialect } = session;
  await db
    .updateTable("jobs")
    .set({
      status: "pending",
      lease_id: null,
      lease_expires_at: null,
      assigned_at: null,
      started_at: null,
      stop_requested_at: null,
      pending_since: dialect.nowMs(),
      reserved_for: reservedFor,
    })
    .where("id", "=", jobId)
    .where("ended_at", "is", null)
    .execute();
  const candidates = await db
    .selectFrom("job_scanners")
    .select("scanner_id")
    .where("job_id", "=", jobId)
    .execute();
  await announceJobs(
    session,
    candidates.map(({ scanner_id }) => scanner_id),
  );
}

/** Of the scanners, the one with the fewest active jobs. */
export async function findLeastBusy(
  { db }: Session,
  scannerIds: readonly number[],
): Promise<number | undefined> {
  if (scannerIds.length === 0) return undefined;
  const row = await db
    .selectFrom("scanners")
    .leftJoin("jobs", (join) =>
      join
        .onRef("jobs.scanner_id", "=", "scanners.id")
        .on("jobs.ended_at", "is", null)
        .on("jobs.lease_id", "is not", null),
    )
    .select("scanners.id")
    .where("scanners.id", "in", scannerIds)
    .groupBy("scanners.id")
    .orderBy((eb) => eb.fn.count("jobs.id"))
    .orderBy("scanners.id")
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}

/** Running jobs whose agents had to stop them by now, while their leases stand. */
export async function listOverdueJobs({ db, dialect }: Session): Promise<OpenJob[]> {
  return db
    .selectFrom("jobs")
    .select(["id", "scan_id"])
    .where("ended_at", "is", null)
    .where("status", "=", "running")
    .where("lease_expires_at", ">", dialect.nowMs())
    .where(
      sql<boolean>`started_at + timeout_seconds * 1000 + ${sql.lit(TIMEOUT_GRACE_MS)} <= ${dialect.nowMs()}`,
    )
    .orderBy("id")
    .limit(MAX_ROWS)
    .execute();
}

/** For how long the job has run, and whether its lease stands. */
export async function readRunningTime(
  { db, dialect }: Session,
  jobId: number,
): Promise<{ readonly running_ms: number | null; readonly is_leased: boolean }> {
  const row = await db
    .selectFrom("jobs")
    .select([
      sql<number | null>`${dialect.nowMs()} - started_at`.as("running_ms"),
      sql<number>`case when lease_expires_at > ${dialect.nowMs()} then 1 else 0 end`.as("is_leased"),
    ])
    .where("id", "=", jobId)
    .executeTakeFirstOrThrow();
  return { running_ms: row.running_ms, is_leased: row.is_leased === 1 };
}

export async function requestStop({ db, dialect }: Session, jobId: number): Promise<void> {
  await db
    .updateTable("jobs")
    .set({ stop_requested_at: dialect.nowMs() })
    .where("id", "=", jobId)
    .where("stop_requested_at", "is", null)
    .execute();
}

/**
 * Jobs in the pool that nobody may take: of their candidates none may work. Those that may be enabled again are waited
 * for, as long as any job may lie in the pool before it counts as stuck.
 * @param onlyId looks at this job alone
 */
export async function listAbandonedJobs({ db, dialect }: Session, onlyId?: number): Promise<OpenJob[]> {
  const now = dialect.nowMs();
  let query = db.selectFrom("jobs").select(["jobs.id", "jobs.scan_id"]).where("jobs.ended_at", "is", null);
  if (onlyId !== undefined) query = query.where("jobs.id", "=", onlyId);
  return query
    .where((eb) =>
      eb.or([
        eb.and([
          eb("jobs.status", "=", "pending"),
          sql<boolean>`jobs.pending_since + ${sql.lit(STUCK_PENDING_MS)} <= ${now}`,
        ]),
        sql<boolean>`jobs.lease_expires_at + ${sql.lit(STUCK_PENDING_MS)} <= ${now}`,
      ]),
    )
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom("job_scanners")
            .innerJoin("scanners", "scanners.id", "job_scanners.scanner_id")
            .select("scanners.id")
            .whereRef("job_scanners.job_id", "=", "jobs.id")
            .where((inner) =>
              inner.or([
                inner.and([
                  inner("scanners.disabled_at", "is", null),
                  inner("scanners.deleted_at", "is", null),
                  inner("scanners.unapproved_at", "is", null),
                ]),
                // One that was stopped just now may be back soon.
                sql<boolean>`coalesce(scanners.disabled_at, scanners.unapproved_at) + ${sql.lit(STUCK_PENDING_MS)} > ${now}`,
              ]),
            ),
        ),
      ),
    )
    .orderBy("jobs.id")
    .limit(MAX_ROWS)
    .execute();
}

/** Jobs are not kept for those who may not work: then anybody may take them. */
export async function dropVainReservations({ db }: Session): Promise<void> {
  await db
    .updateTable("jobs")
    .set({ reserved_for: null })
    .where("reserved_for", "is not", null)
    .where("ended_at", "is", null)
    .where("reserved_for", "not in", (eb) => eb.selectFrom("scanners").select("scanners.id").where(mayWork))
    .execute();
}

/** The scanner leaves every queue. Returns the open jobs that were its own, or in its queue. */
export async function leaveQueues({ db }: Session, scannerId: number): Promise<OpenJob[]> {
  const jobs = await db
    .selectFrom("jobs")
    .select(["jobs.id", "jobs.scan_id"])
    .where("jobs.ended_at", "is", null)
    .where((eb) =>
      eb.or([
        eb("jobs.scanner_id", "=", scannerId),
        eb(
          "jobs.id",
          "in",
          eb.selectFrom("job_scanners").select("job_id").where("scanner_id", "=", scannerId),
        ),
      ]),
    )
    .orderBy("jobs.scan_id")
    .orderBy("jobs.id")
    .execute();
  await db.deleteFrom("job_scanners").where("scanner_id", "=", scannerId).execute();
  return jobs;
}
