/** Queries on jobs: creating, looking, ending. Claims and leases are in `leases.ts`. */

import type { ExpressionBuilder, Selectable } from "kysely";
import type { JobStatus, ScanEngine } from "#shared/protocol/job.ts";
import { DEFAULT_SCAN_TIMEOUT_SECONDS } from "#shared/protocol/limits.ts";
import { noteEndedJobs } from "./ended-jobs.ts";
import { announceJobs } from "./job-notices.ts";
import type { Session } from "./store.ts";
import type { JobsTable, Tables } from "./tables.ts";
import { ensureVantages } from "./vantages.ts";

/** A job with what its scan and scanner say about it; without its targets, which may be a megabyte of text. */
export interface JobRow extends Omit<Selectable<JobsTable>, "targets"> {
  readonly scan_engine: ScanEngine;
  readonly scan_options: string;
  readonly scan_service_detection: number;
  readonly cancel_requested_at: number | null;
  readonly scanner_name: string;
  readonly scanner_rate_limit: number;
  readonly vantage_key: string | null;
}

/** A job with what runs beside it, which decides how fast it may go. */
export interface LeasedJobRow extends JobRow {
  /** Active jobs of its scanner. */
  readonly jobs_of_scanner: number;
  /** Active jobs of its vantage point that share its rate. */
  readonly jobs_in_scope: number;
}

/** A job with all that its scanner must know. */
export interface WholeJobRow extends LeasedJobRow {
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
  "jobs.priority",
  "jobs.rate_pps",
  "jobs.rate_key",
  "jobs.estimate_seconds",
  "jobs.timeout_seconds",
  "jobs.pending_since",
  "jobs.assigned_at",
  "jobs.stop_requested_at",
  "jobs.reserved_for",
  "jobs.stored_results",
  "jobs.found_open",
  "jobs.suspicious",
] as const;

/** Rows in one statement, below the 32,766 parameters of SQLite. */
const ROWS_PER_STATEMENT = 1_000;

export interface NewJob {
  readonly scan_id: number;
  /** From where it looks: `vantages.ts`. */
  readonly vantageKey: string;
  /** Who may do it, at least one. */
  readonly scannerIds: readonly number[];
  readonly targets: string;
  readonly probes: number;
  readonly priority?: number;
  readonly rate_pps?: number;
  readonly rate_key?: string | null;
  readonly estimate_seconds?: number;
  readonly timeout_seconds?: number;
  /** Why nobody can do it: then it has failed from the beginning. */
  readonly impossible?: string | undefined;
}

/** Returns their ids, in the same order. Their scanners hear of them when the transaction is committed. */
export async function insertJobs(session: Session, jobs: readonly NewJob[]): Promise<number[]> {
  const vantages = await ensureVantages(
    session,
    jobs.map(({ vantageKey }) => vantageKey),
  );
  const ids: number[] = [];
  for (let start = 0; start < jobs.length; start += ROWS_PER_STATEMENT) {
    ids.push(...(await insertSome(session, jobs.slice(start, start + ROWS_PER_STATEMENT), vantages)));
  }
  const waiting = jobs.filter(({ impossible }) => impossible === undefined);
  await announceJobs(
    session,
    waiting.flatMap(({ scannerIds }) => scannerIds),
  );
  return ids;
}

async function insertSome(
  { db, dialect }: Session,
  jobs: readonly NewJob[],
  vantages: ReadonlyMap<string, number>,
): Promise<number[]> {
  const rows = jobs.map(({ vantageKey, scannerIds, impossible, ...job }) => {
    const [firstScanner] = scannerIds;
    if (firstScanner === undefined) throw new RangeError("a job needs a scanner that may do it");
    return {
      priority: 0,
      rate_pps: 0,
      rate_key: null,
      estimate_seconds: 0,
      timeout_seconds: DEFAULT_SCAN_TIMEOUT_SECONDS,
      ...job,
      scanner_id: firstScanner,
      vantage_id: vantages.get(vantageKey) ?? null,
      status: impossible === undefined ? ("pending" as const) : ("failed" as const),
      error_message: impossible ?? null,
      created_at: dialect.nowMs(),
      pending_since: dialect.nowMs(),
      ended_at: impossible === undefined ? null : dialect.nowMs(),
      found_open: impossible === undefined ? null : 0,
    };
  });
  const inserted = await db.insertInto("jobs").values(rows).returning("id").execute();
  // Neither database promises the order of what it returns, both count up.
  const ids = inserted.map(({ id }) => id).toSorted((a, b) => a - b);
  const candidates = jobs.flatMap(({ scannerIds, priority = 0, impossible }, index) => {
    const job_id = ids[index];
    if (job_id === undefined) throw new Error("a job was not inserted");
    return impossible === undefined ? scannerIds.map((scanner_id) => ({ job_id, scanner_id, priority })) : [];
  });
  for (let start = 0; start < candidates.length; start += ROWS_PER_STATEMENT) {
    await db
      .insertInto("job_scanners")
      .values(candidates.slice(start, start + ROWS_PER_STATEMENT))
      .execute();
  }
  return ids;
}

export function selectJobs({ db }: Session) {
  return db
    .selectFrom("jobs")
    .innerJoin("scans", "scans.id", "jobs.scan_id")
    .innerJoin("scanners", "scanners.id", "jobs.scanner_id")
    .leftJoin("vantages", "vantages.id", "jobs.vantage_id")
    .select([
      ...COLUMNS,
      "scans.engine as scan_engine",
      "scans.options as scan_options",
      "scans.service_detection as scan_service_detection",
      "scans.cancel_requested_at",
      "scanners.name as scanner_name",
      "scanners.rate_limit as scanner_rate_limit",
      "vantages.key as vantage_key",
    ]);
}

/** Jobs that somebody is at, in the words of the partial indexes on them. */
function isActive(eb: ExpressionBuilder<{ beside: Tables["jobs"] }, "beside">) {
  return eb.and([eb("beside.ended_at", "is", null), eb("beside.lease_id", "is not", null)]);
}

/** As `selectJobs`, with what runs beside each. */
export function selectLeasedJobs(session: Session) {
  return selectJobs(session).select((eb) => [
    eb
      .selectFrom("jobs as beside")
      .whereRef("beside.scanner_id", "=", "jobs.scanner_id")
      .where(isActive)
      .select((beside) => beside.fn.countAll<number>().as("count"))
      .$asScalar()
      .$notNull()
      .as("jobs_of_scanner"),
    eb
      .selectFrom("jobs as beside")
      .whereRef("beside.vantage_id", "=", "jobs.vantage_id")
      .whereRef("beside.rate_key", "=", "jobs.rate_key")
      .where(isActive)
      .select((beside) => beside.fn.countAll<number>().as("count"))
      .$asScalar()
      .$notNull()
      .as("jobs_in_scope"),
  ]);
}

export async function findJob(session: Session, id: number): Promise<LeasedJobRow | undefined> {
  return selectLeasedJobs(session).where("jobs.id", "=", id).executeTakeFirst();
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

/** Jobs of a scan that the scanner has claimed and not ended, oldest first. */
export async function listHeldJobs(
  { db }: Session,
  scanId: number,
  scannerId: number,
): Promise<{ id: number }[]> {
  return db
    .selectFrom("jobs")
    .select("id")
    .where("scan_id", "=", scanId)
    .where("scanner_id", "=", scannerId)
    .where("ended_at", "is", null)
    .where("lease_id", "is not", null)
    .orderBy("id")
    .execute();
}

/** A job of the scan that is, or was, the scanner's; the one that this call ended where there is such. */
export async function findJobInScan(
  session: Session,
  scanId: number,
  scannerId: number,
  completionDigest: string,
): Promise<JobRow | undefined> {
  return selectJobs(session)
    .where("jobs.scan_id", "=", scanId)
    .where("jobs.scanner_id", "=", scannerId)
    .orderBy((eb) => eb.case().when("jobs.completion_digest", "=", completionDigest).then(0).else(1).end())
    .orderBy("jobs.id")
    .limit(1)
    .executeTakeFirst();
}

/** Holds the job until the transaction ends. */
export async function lockJob(session: Session, id: number): Promise<LeasedJobRow | undefined> {
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
    .where("lease_id", "is not", null)
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

export async function endJob(session: Session, id: number, outcome: JobOutcome): Promise<void> {
  const { db, dialect } = session;
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
  await db.deleteFrom("job_scanners").where("job_id", "=", id).execute();
  await noteEndedJobs(session, [id]);
}

/** Ends the scan's jobs that nobody has claimed. */
export async function cancelPendingJobs(session: Session, scanId: number): Promise<void> {
  const { db, dialect } = session;
  const pending = db
    .selectFrom("jobs")
    .select("id")
    .where("scan_id", "=", scanId)
    .where("ended_at", "is", null)
    .where("status", "=", "pending");
  const ending = await pending.execute();
  await noteEndedJobs(
    session,
    ending.map(({ id }) => id),
  );
  await db.deleteFrom("job_scanners").where("job_id", "in", pending).execute();
  await db
    .updateTable("jobs")
    .set({ status: "cancelled", ended_at: dialect.nowMs() })
    .where("scan_id", "=", scanId)
    .where("ended_at", "is", null)
    .where("status", "=", "pending")
    .execute();
}
