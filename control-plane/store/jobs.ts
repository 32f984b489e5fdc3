/** Queries on jobs: creating, looking, ending. Claims and leases are in `leases.ts`. */

import type { Selectable } from "kysely";
import type { JobStatus } from "#shared/protocol/job.ts";
import type { Session } from "./store.ts";
import type { JobsTable } from "./tables.ts";
import { ensureVantages } from "./vantages.ts";

/** A job with what its scan and scanner say about it; without its targets, which may be a megabyte of text. */
export interface JobRow extends Omit<Selectable<JobsTable>, "targets"> {
  readonly scan_max_pps: number;
  readonly scan_engine: "syn" | "connect";
  readonly scan_options: string;
  readonly cancel_requested_at: number | null;
  readonly scanner_name: string;
  readonly scanner_rate_limit: number;
}

/** A job with all that its scanner must know. */
export interface WholeJobRow extends JobRow {
  /** JSON of `JobTarget[]`. */
  readonly targets: string;
}

const COLUMNS = [
  "jobs.id",
  "jobs.scan_id",
  "jobs.scanner_id",
  "jobs.vantage_id",
  "jobs.status",
  "jobs.probes",
  "jobs.attempt",
  "jobs.lease_id",
  "jobs.lease_expires_at",
  "jobs.progress_count",
  "jobs.result_count",
  "jobs.coverage",
  "jobs.error_message",
  "jobs.summary",
  "jobs.completion_digest",
  "jobs.created_at",
  "jobs.started_at",
  "jobs.ended_at",
] as const;

export interface NewJob {
  readonly scan_id: number;
  /** From where it looks: `vantages.ts`. */
  readonly vantageKey: string;
  /** Who may do it, at least one. */
  readonly scannerIds: readonly number[];
  readonly targets: string;
  readonly probes: number;
}

/** Returns their ids, in the same order. */
export async function insertJobs(session: Session, jobs: readonly NewJob[]): Promise<number[]> {
  const { db, dialect } = session;
  const vantages = await ensureVantages(
    session,
    jobs.map(({ vantageKey }) => vantageKey),
  );
  const ids: number[] = [];
  for (const { scan_id, vantageKey, scannerIds, targets, probes } of jobs) {
    const [firstScanner] = scannerIds;
    if (firstScanner === undefined) throw new RangeError("a job needs a scanner that may do it");
    const { id } = await db
      .insertInto("jobs")
      .values({
        scan_id,
        scanner_id: firstScanner,
        vantage_id: vantages.get(vantageKey) ?? null,
        targets,
        probes,
        status: "pending" as const,
        created_at: dialect.nowMs(),
      })
      .returning("id")
      .executeTakeFirstOrThrow();
    await db
      .insertInto("job_scanners")
      .values(scannerIds.map((scanner_id) => ({ job_id: id, scanner_id })))
      .execute();
    ids.push(id);
  }
  return ids;
}

export function selectJobs({ db }: Session) {
  return db
    .selectFrom("jobs")
    .innerJoin("scans", "scans.id", "jobs.scan_id")
    .innerJoin("scanners", "scanners.id", "jobs.scanner_id")
    .select([
      ...COLUMNS,
      "scans.max_pps as scan_max_pps",
      "scans.engine as scan_engine",
      "scans.options as scan_options",
      "scans.cancel_requested_at",
      "scanners.name as scanner_name",
      "scanners.rate_limit as scanner_rate_limit",
    ]);
}

export async function listJobsOfScans(session: Session, scanIds: readonly number[]): Promise<JobRow[]> {
  if (scanIds.length === 0) return [];
  return selectJobs(session).where("jobs.scan_id", "in", scanIds).orderBy("jobs.id").execute();
}

export async function findJob(session: Session, id: number): Promise<JobRow | undefined> {
  return selectJobs(session).where("jobs.id", "=", id).executeTakeFirst();
}

/** JSON of the job's `JobTarget[]`. */
export async function findJobTargets({ db }: Session, id: number): Promise<string> {
  const { targets } = await db
    .selectFrom("jobs")
    .select("targets")
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  return targets;
}

/** The scanner's job in a scan. */
export async function findJobInScan(
  session: Session,
  scanId: number,
  scannerId: number,
): Promise<JobRow | undefined> {
  return selectJobs(session)
    .where("jobs.scan_id", "=", scanId)
    .where("jobs.scanner_id", "=", scannerId)
    .orderBy("jobs.id")
    .executeTakeFirst();
}

/** Holds the job until the transaction ends. */
export async function lockJob(session: Session, id: number): Promise<JobRow | undefined> {
  const { db, dialect } = session;
  await dialect.lockRows(db.selectFrom("jobs").select("id").where("id", "=", id)).execute();
  return findJob(session, id);
}

export async function hasActiveJobs({ db }: Session, scannerId: number): Promise<boolean> {
  const row = await db
    .selectFrom("jobs")
    .select("id")
    .where("scanner_id", "=", scannerId)
    .where("ended_at", "is", null)
    .where("status", "in", ["assigned", "running"])
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export interface JobOutcome {
  readonly status: JobStatus;
  readonly errorMessage: string | null;
  readonly coverage?: number;
  readonly resultCount?: number;
  readonly summary?: string | null;
  readonly completionDigest?: string;
}

export async function endJob({ db, dialect }: Session, id: number, outcome: JobOutcome): Promise<void> {
  await db
    .updateTable("jobs")
    .set({
      status: outcome.status,
      error_message: outcome.errorMessage,
      ended_at: dialect.nowMs(),
      ...(outcome.coverage === undefined ? {} : { coverage: outcome.coverage }),
      ...(outcome.resultCount === undefined ? {} : { result_count: outcome.resultCount }),
      ...(outcome.summary === undefined ? {} : { summary: outcome.summary }),
      ...(outcome.completionDigest === undefined ? {} : { completion_digest: outcome.completionDigest }),
    })
    .where("id", "=", id)
    .where("ended_at", "is", null)
    .execute();
}

/** Ends the scan's jobs that nobody has claimed. */
export async function cancelPendingJobs({ db, dialect }: Session, scanId: number): Promise<void> {
  await db
    .updateTable("jobs")
    .set({ status: "cancelled", ended_at: dialect.nowMs() })
    .where("scan_id", "=", scanId)
    .where("status", "=", "pending")
    .execute();
}

/** Jobs of a scanner that have not ended, with their scans, oldest first. */
export async function listOpenJobs(
  { db }: Session,
  scannerId: number,
): Promise<{ id: number; scan_id: number }[]> {
  return db
    .selectFrom("jobs")
    .select(["id", "scan_id"])
    .where("scanner_id", "=", scannerId)
    .where("ended_at", "is", null)
    .orderBy("scan_id")
    .orderBy("id")
    .execute();
}
