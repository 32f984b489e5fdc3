/**
 * Queries on claims and leases. A job may be claimed when it is pending, or when its lease ran out and it was not
 * handed out too often; never when its scan is to be cancelled or its scanner may not work, which can change while a
 * poll waits. Each scanner has a queue of the jobs that it may do, in `job_scanners`. Leases run by the database's clock.
 */

import { type ExpressionBuilder, sql } from "kysely";
import { JOB_LEASE_MS, JOB_MAX_ATTEMPTS } from "#shared/protocol/limits.ts";
import { selectLeasedJobs, type WholeJobRow } from "./jobs.ts";
import type { Session } from "./store.ts";
import type { Tables } from "./tables.ts";

function isClaimable({ dialect }: Session, eb: ExpressionBuilder<Tables, "jobs">) {
  return eb.and([
    eb.or([
      eb("jobs.status", "=", "pending"),
      eb.and([
        eb("jobs.status", "in", ["assigned", "running"]),
        eb("jobs.lease_expires_at", "<=", dialect.nowMs()),
        eb("jobs.attempt", "<", JOB_MAX_ATTEMPTS),
      ]),
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

/** It gets jobs: an operator has not disabled it, and whoever enrolled it is approved. */
export function mayWork(eb: ExpressionBuilder<Tables, "scanners">) {
  return eb.and([
    eb("scanners.disabled_at", "is", null),
    eb("scanners.deleted_at", "is", null),
    eb("scanners.unapproved_at", "is", null),
  ]);
}

function leaseEnd({ dialect }: Session) {
  return sql<number>`${dialect.nowMs()} + ${sql.lit(JOB_LEASE_MS)}`;
}

/** False when there is no job that the scanner could ever claim, which is so of nearly all polls, and quickly seen. */
export async function hasQueue({ db }: Session, scannerId: number): Promise<boolean> {
  const row = await db
    .selectFrom("job_scanners")
    .select("job_id")
    .where("scanner_id", "=", scannerId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Claims up to `max` jobs of the scanner, those of the highest priority first and of these the oldest. Of callers at the
 * same time, each job goes to one. A scanner holds no more jobs than its limit has probes, or each would not have one.
 * @param newLeaseId called once a job
 */
export async function claimJobs(
  session: Session,
  scannerId: number,
  max: number,
  newLeaseId: () => string,
): Promise<WholeJobRow[]> {
  const { db, dialect } = session;
  const room = Math.min(max, await roomOf(session, scannerId));
  if (room <= 0) return [];
  const free: number[] = [];
  let after: QueuePlace | undefined;
  do {
    const places = await readQueue(session, scannerId, after);
    free.push(...(await lockClaimable(session, scannerId, places, room - free.length)));
    after = places.length === QUEUE_PAGE ? places.at(-1) : undefined;
  } while (after !== undefined && free.length < room);
  if (free.length === 0) return [];
  for (const id of free) {
    await db
      .updateTable("jobs")
      .set((eb) => ({
        status: "assigned",
        scanner_id: scannerId,
        attempt: eb("attempt", "+", 1),
        lease_id: newLeaseId(),
        lease_expires_at: leaseEnd(session),
        assigned_at: dialect.nowMs(),
        started_at: null,
        stop_requested_at: null,
        reserved_for: null,
        progress_count: 0,
        result_count: 0,
        coverage: 0,
      }))
      .where("id", "=", id)
      .execute();
  }
  return selectLeasedJobs(session)
    .select("jobs.targets")
    .where("jobs.id", "in", free)
    .orderBy("jobs.priority", "desc")
    .orderBy("jobs.id")
    .execute();
}

/** Where a job lies in a scanner's queue. */
interface QueuePlace {
  readonly priority: number;
  readonly job_id: number;
}

/** At its head lie those that others of the pool have; there are seldom more of them than this. */
const QUEUE_PAGE = 64;

/** Page by page, because PostgreSQL cannot know how short the way is to the first jobs that are free. */
async function readQueue(
  { db }: Session,
  scannerId: number,
  after: QueuePlace | undefined,
): Promise<QueuePlace[]> {
  let query = db
    .selectFrom("job_scanners")
    .select(["priority", "job_id"])
    .where("scanner_id", "=", scannerId)
    .orderBy("priority", "desc")
    .orderBy("job_id")
    .limit(QUEUE_PAGE);
  if (after !== undefined) {
    query = query.where((eb) =>
      eb.or([
        eb("priority", "<", after.priority),
        eb.and([eb("priority", "=", after.priority), eb("job_id", ">", after.job_id)]),
      ]),
    );
  }
  return query.execute();
}

async function lockClaimable(
  session: Session,
  scannerId: number,
  places: readonly QueuePlace[],
  max: number,
): Promise<number[]> {
  if (places.length === 0) return [];
  const ids = places.map(({ job_id }) => job_id);
  const rows = await session.dialect
    .lockFreeRows(
      session.db
        .selectFrom("jobs")
        .select("jobs.id")
        .where("jobs.id", "in", ids)
        .where((eb) => isClaimable(session, eb))
        .where((eb) => eb.or([eb("jobs.reserved_for", "is", null), eb("jobs.reserved_for", "=", scannerId)]))
        .orderBy("jobs.priority", "desc")
        .orderBy("jobs.id")
        .limit(max),
    )
    .execute();
  return rows.map(({ id }) => id);
}

/** How many more jobs the scanner may hold: none when it may not work. */
async function roomOf({ db }: Session, scannerId: number): Promise<number> {
  const row = await db
    .selectFrom("scanners")
    .where("scanners.id", "=", scannerId)
    .where(mayWork)
    .select((eb) => [
      "scanners.rate_limit",
      eb
        .selectFrom("jobs")
        .whereRef("jobs.scanner_id", "=", "scanners.id")
        .where("jobs.ended_at", "is", null)
        .where("jobs.lease_id", "is not", null)
        .select((jobs) => jobs.fn.countAll<number>().as("count"))
        .$asScalar()
        .$notNull()
        .as("active"),
    ])
    .executeTakeFirst();
  if (row === undefined) return 0;
  return row.rate_limit === 0 ? Number.POSITIVE_INFINITY : row.rate_limit - row.active;
}

/** Scanners that have a job to claim. */
export async function listScannersWithWork(session: Session): Promise<number[]> {
  const rows = await session.db
    .selectFrom("scanners")
    .select("scanners.id")
    .where(mayWork)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom("job_scanners")
          .innerJoin("jobs", "jobs.id", "job_scanners.job_id")
          .select("jobs.id")
          .whereRef("job_scanners.scanner_id", "=", "scanners.id")
          .where((jobs) => isClaimable(session, jobs))
          // The offset has PostgreSQL look for each scanner apart, and stop at its first.
          .limit(1)
          .offset(0),
      ),
    )
    .execute();
  return rows.map(({ id }) => id);
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
