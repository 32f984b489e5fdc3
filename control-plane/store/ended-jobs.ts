/**
 * The queue of jobs that have ended and whose results are still to be compared with what was known. Who ends a job puts
 * it here in the same transaction, so that none is forgotten; who has compared it takes it out in the transaction that
 * writes what changed, so that none counts twice.
 */

import type { Selectable } from "kysely";
import type { SuspicionReason } from "#shared/protocol/endpoints.ts";
import type { Session } from "./store.ts";
import type { EndedJobsTable, Tables } from "./tables.ts";

export type EndedJobRow = Selectable<EndedJobsTable>;

/** What of an ended job says how far it can be believed. */
export interface EndedJob extends EndedJobRow {
  readonly status: Tables["jobs"]["status"];
  readonly coverage: number;
  readonly summary: string | null;
  readonly started_at: number | null;
  readonly ended_at: number;
  readonly scan_created_at: number;
  /** JSON of `JobOptions`. */
  readonly scan_options: string;
}

/** Jobs in one statement. */
const JOBS_PER_STATEMENT = 1_000;

/** Jobs that end now, in this transaction. */
export async function noteEndedJobs({ db }: Session, ids: readonly number[]): Promise<void> {
  for (let start = 0; start < ids.length; start += JOBS_PER_STATEMENT) {
    await db
      .insertInto("ended_jobs")
      .columns(["job_id", "scan_id", "vantage_id"])
      .expression((eb) =>
        eb
          .selectFrom("jobs")
          .select(["id", "scan_id", "vantage_id"])
          .$narrowType<{ vantage_id: number }>()
          .where("id", "in", ids.slice(start, start + JOBS_PER_STATEMENT))
          .where("vantage_id", "is not", null),
      )
      .onConflict((conflict) => conflict.column("job_id").doNothing())
      .execute();
  }
}

/** The job to compare now: the first that ended and does not wait for others. */
export async function findNextEndedJob({ db }: Session): Promise<EndedJob | undefined> {
  return db
    .selectFrom("ended_jobs")
    .innerJoin("jobs", "jobs.id", "ended_jobs.job_id")
    .innerJoin("scans", "scans.id", "ended_jobs.scan_id")
    .selectAll("ended_jobs")
    .select([
      "jobs.status",
      "jobs.coverage",
      "jobs.summary",
      "jobs.started_at",
      "jobs.ended_at",
      "scans.created_at as scan_created_at",
      "scans.options as scan_options",
    ])
    .$narrowType<{ ended_at: number }>()
    .where("ended_jobs.held", "=", 0)
    .where("jobs.ended_at", "is not", null)
    .orderBy("ended_jobs.id")
    .limit(1)
    .executeTakeFirst();
}

/** A job that was not believed is compared after all, from its beginning and without being judged again. */
export async function believeEndedJob(
  { db }: Session,
  job: { readonly id: number; readonly scan_id: number; readonly vantage_id: number },
): Promise<void> {
  await db.updateTable("jobs").set({ suspicious: null }).where("id", "=", job.id).execute();
  await db
    .insertInto("ended_jobs")
    .values({ job_id: job.id, scan_id: job.scan_id, vantage_id: job.vantage_id, position: "" })
    .onConflict((conflict) => conflict.column("job_id").doNothing())
    .execute();
}

/** A vantage point in a scan: its jobs are judged together. */
export type Looker = Pick<EndedJobRow, "scan_id" | "vantage_id">;

/** The job waits for what the others of its scan and vantage point find. */
export async function holdEndedJob({ db }: Session, id: number): Promise<void> {
  await db.updateTable("ended_jobs").set({ held: 1 }).where("id", "=", id).execute();
}

/** Jobs that waited wait no longer. */
export async function releaseEndedJobs({ db }: Session, { scan_id, vantage_id }: Looker): Promise<void> {
  await db
    .updateTable("ended_jobs")
    .set({ held: 0 })
    .where("scan_id", "=", scan_id)
    .where("vantage_id", "=", vantage_id)
    .where("held", "=", 1)
    .execute();
}

/** Jobs that waited in vain: none found anything. */
export async function giveUpHeldJobs(
  { db }: Session,
  { scan_id, vantage_id }: Looker,
  suspicious: SuspicionReason,
): Promise<void> {
  const held = db
    .selectFrom("ended_jobs")
    .select("job_id")
    .where("scan_id", "=", scan_id)
    .where("vantage_id", "=", vantage_id)
    .where("held", "=", 1);
  await db.updateTable("jobs").set({ found_open: 0, suspicious }).where("id", "in", held).execute();
  await db
    .deleteFrom("ended_jobs")
    .where("scan_id", "=", scan_id)
    .where("vantage_id", "=", vantage_id)
    .where("held", "=", 1)
    .execute();
}

/** The job is compared up to and with this address. */
export async function moveEndedJob({ db }: Session, id: number, position: string): Promise<void> {
  await db.updateTable("ended_jobs").set({ position }).where("id", "=", id).execute();
}

/** The job is done. */
export async function removeEndedJob({ db }: Session, id: number): Promise<void> {
  await db.deleteFrom("ended_jobs").where("id", "=", id).execute();
}

export async function noteFindings(
  { db }: Session,
  jobId: number,
  findings: { readonly foundOpen: boolean; readonly suspicious?: SuspicionReason | undefined },
): Promise<void> {
  await db
    .updateTable("jobs")
    .set({
      found_open: findings.foundOpen ? 1 : 0,
      ...(findings.suspicious === undefined ? {} : { suspicious: findings.suspicious }),
    })
    .where("id", "=", jobId)
    .execute();
}

export async function countPendingComparisons({ db }: Session, scanId: number): Promise<number> {
  const { count } = await db
    .selectFrom("ended_jobs")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("scan_id", "=", scanId)
    .executeTakeFirstOrThrow();
  return count;
}

/** True when a job of the vantage point in this scan has found an open port. */
export async function hasFoundOpen({ db }: Session, { scan_id, vantage_id }: Looker): Promise<boolean> {
  const row = await db
    .selectFrom("jobs")
    .select("id")
    .where("scan_id", "=", scan_id)
    .where("vantage_id", "=", vantage_id)
    .where("found_open", "=", 1)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** True while another job of the vantage point in this scan may yet find something. */
export async function mayFindOpen(
  { db }: Session,
  { scan_id, vantage_id, job_id }: Looker & Pick<EndedJobRow, "job_id">,
): Promise<boolean> {
  const row = await db
    .selectFrom("jobs")
    .select("id")
    .where("scan_id", "=", scan_id)
    .where("vantage_id", "=", vantage_id)
    .where("id", "!=", job_id)
    .where("found_open", "is", null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom("ended_jobs")
            .select("ended_jobs.id")
            .whereRef("ended_jobs.job_id", "=", "jobs.id")
            .where("ended_jobs.held", "=", 1),
        ),
      ),
    )
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Jobs of a scan that were not believed, or not in full. */
export async function listSuspiciousJobs(
  { db }: Session,
  scanId: number,
  limit: number,
): Promise<{ id: number; vantage_id: number; suspicious: SuspicionReason }[]> {
  return db
    .selectFrom("jobs")
    .select(["id", "vantage_id", "suspicious"])
    .$narrowType<{ vantage_id: number; suspicious: SuspicionReason }>()
    .where("scan_id", "=", scanId)
    .where("suspicious", "is not", null)
    .where("vantage_id", "is not", null)
    .orderBy("id")
    .limit(limit)
    .execute();
}
