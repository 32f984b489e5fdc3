/**
 * Queries on claims and leases. A job may be claimed when it is pending, or when its lease ran out and it was not
 * handed out too often; never when its scan is to be cancelled or its scanner may not work, which can change while a
 * poll waits. Leases run by the database's clock.
 */

import { type ExpressionBuilder, sql } from "kysely";
import { JOB_LEASE_MS, JOB_MAX_ATTEMPTS } from "#shared/protocol/limits.ts";
import { selectJobs, type WholeJobRow } from "./jobs.ts";
import type { Session } from "./store.ts";
import type { Tables } from "./tables.ts";

function isClaimable({ dialect }: Session, eb: ExpressionBuilder<Tables, "jobs">) {
  return eb.and([
    eb("jobs.ended_at", "is", null),
    eb.or([
      eb("jobs.status", "=", "pending"),
      eb.and([eb("jobs.lease_expires_at", "<=", dialect.nowMs()), eb("jobs.attempt", "<", JOB_MAX_ATTEMPTS)]),
    ]),
    eb.not(
      eb.exists(
        eb
          .selectFrom("scans")
          .select("scans.id")
          .whereRef("scans.id", "=", "jobs.scan_id")
          .where("scans.cancel_requested_at", "is not", null),
      ),
    ),
  ]);
}

/** One of those who may do the job, and may work at all. */
function mayTake(eb: ExpressionBuilder<Tables, "jobs">, scannerId: number) {
  return eb.exists(
    eb
      .selectFrom("job_scanners")
      .innerJoin("scanners", "scanners.id", "job_scanners.scanner_id")
      .select("job_scanners.job_id")
      .whereRef("job_scanners.job_id", "=", "jobs.id")
      .where("job_scanners.scanner_id", "=", scannerId)
      .where("scanners.disabled_at", "is", null)
      .where("scanners.deleted_at", "is", null),
  );
}

function leaseEnd({ dialect }: Session) {
  return sql<number>`${dialect.nowMs()} + ${sql.lit(JOB_LEASE_MS)}`;
}

/**
 * Claims up to `max` jobs of the scanner, oldest first. Of callers at the same time, each job goes to one.
 * @param newLeaseId called once a job
 */
export async function claimJobs(
  session: Session,
  scannerId: number,
  max: number,
  newLeaseId: () => string,
): Promise<WholeJobRow[]> {
  const { db, dialect } = session;
  const free = await dialect
    .lockFreeRows(
      db
        .selectFrom("jobs")
        .select("jobs.id")
        .where((eb) => mayTake(eb, scannerId))
        .where((eb) => isClaimable(session, eb))
        .orderBy("jobs.id")
        .limit(max),
    )
    .execute();
  for (const { id } of free) {
    await db
      .updateTable("jobs")
      .set((eb) => ({
        status: "assigned",
        scanner_id: scannerId,
        attempt: eb("attempt", "+", 1),
        lease_id: newLeaseId(),
        lease_expires_at: leaseEnd(session),
        progress_count: 0,
        result_count: 0,
        coverage: 0,
      }))
      .where("id", "=", id)
      .execute();
  }
  if (free.length === 0) return [];
  return selectJobs(session)
    .select("jobs.targets")
    .where(
      "jobs.id",
      "in",
      free.map(({ id }) => id),
    )
    .orderBy("jobs.id")
    .execute();
}

/** Scanners that have a job to claim. */
export async function listScannersWithWork(session: Session): Promise<number[]> {
  const rows = await session.db
    .selectFrom("jobs")
    .innerJoin("job_scanners", "job_scanners.job_id", "jobs.id")
    .innerJoin("scanners", "scanners.id", "job_scanners.scanner_id")
    .select("job_scanners.scanner_id")
    .distinct()
    .where("scanners.disabled_at", "is", null)
    .where("scanners.deleted_at", "is", null)
    .where((eb) => isClaimable(session, eb))
    .execute();
  return rows.map(({ scanner_id }) => scanner_id);
}

export async function renewLease(session: Session, jobId: number): Promise<void> {
  await session.db
    .updateTable("jobs")
    .set({ lease_expires_at: leaseEnd(session) })
    .where("id", "=", jobId)
    .execute();
}

export async function markJobRunning({ db, dialect }: Session, jobId: number): Promise<void> {
  await db
    .updateTable("jobs")
    .set((eb) => ({ status: "running", started_at: eb.fn.coalesce("started_at", dialect.nowMs()) }))
    .where("id", "=", jobId)
    .execute();
}

/** Progress only grows: a call that was overtaken by a later one changes nothing. */
export async function growProgress(
  { db }: Session,
  jobId: number,
  progress: { readonly progressCount: number; readonly resultCount: number; readonly coverage: number },
): Promise<void> {
  const larger = (column: "progress_count" | "result_count" | "coverage", value: number) =>
    sql<number>`case when ${sql.ref(column)} < ${sql.lit(value)} then ${sql.lit(value)} else ${sql.ref(column)} end`;
  await db
    .updateTable("jobs")
    .set({
      progress_count: larger("progress_count", progress.progressCount),
      result_count: larger("result_count", progress.resultCount),
      coverage: larger("coverage", progress.coverage),
    })
    .where("id", "=", jobId)
    .execute();
}

/** Jobs whose lease ran out and that nobody may claim again: handed out too often, or of a scan to be cancelled. */
export async function listLostJobs({ db, dialect }: Session): Promise<{ id: number; scan_id: number }[]> {
  return db
    .selectFrom("jobs")
    .innerJoin("scans", "scans.id", "jobs.scan_id")
    .select(["jobs.id", "jobs.scan_id"])
    .where("jobs.ended_at", "is", null)
    .where("jobs.lease_expires_at", "<=", dialect.nowMs())
    .where((eb) =>
      eb.or([eb("jobs.attempt", ">=", JOB_MAX_ATTEMPTS), eb("scans.cancel_requested_at", "is not", null)]),
    )
    .orderBy("jobs.id")
    .limit(1_000)
    .execute();
}

/** True when the job's lease has run out. */
export async function hasLeaseExpired({ db, dialect }: Session, jobId: number): Promise<boolean> {
  const row = await db
    .selectFrom("jobs")
    .select("id")
    .where("id", "=", jobId)
    .where("lease_expires_at", "<=", dialect.nowMs())
    .executeTakeFirst();
  return row !== undefined;
}
