/** Queries on what jobs cover. It never changes while a job lives, so whoever asked once may remember. */

import type { Session } from "./store.ts";

export interface StoredScope {
  readonly scan_id: number;
  readonly vantage_id: number | null;
  /** JSON of `JobTarget[]`. */
  readonly targets: string;
  /** When the scan was made. */
  readonly scan_created_at: number;
}

export async function findScope({ db }: Session, jobId: number): Promise<StoredScope> {
  return db
    .selectFrom("jobs")
    .innerJoin("scans", "scans.id", "jobs.scan_id")
    .select(["jobs.scan_id", "jobs.vantage_id", "jobs.targets", "scans.created_at as scan_created_at"])
    .where("jobs.id", "=", jobId)
    .executeTakeFirstOrThrow();
}

/** Counts result rows to the job that brought them. */
export async function countStoredResults({ db }: Session, jobId: number, rows: number): Promise<void> {
  await db
    .updateTable("jobs")
    .set((eb) => ({ stored_results: eb("stored_results", "+", rows) }))
    .where("id", "=", jobId)
    .execute();
}

/** Targets of a scan's jobs that were completed and are believed, from one vantage point. */
export async function listCoveredTargets(
  { db }: Session,
  scanId: number,
  vantageId: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom("jobs")
    .select("targets")
    .where("scan_id", "=", scanId)
    .where("vantage_id", "=", vantageId)
    .where("status", "=", "completed")
    .where((eb) => eb.or([eb("suspicious", "is", null), eb("suspicious", "!=", "nothing-found")]))
    .orderBy("id")
    .execute();
  return rows.map(({ targets }) => targets);
}
