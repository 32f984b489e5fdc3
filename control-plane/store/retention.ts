/**
 * Takes away what is older than it is to be kept, some thousand rows at a time. On PostgreSQL whole partitions of
 * results go at once.
 */

import { sql } from "kysely";
import { createPartitions, dropPartitions, isPartitioned, type PartitionedTable } from "./partitions.ts";
import { inWindow } from "./key-window.ts";
import { listResults, resultAfter, type ResultsOf } from "./results.ts";
import { readClock, type Session } from "./store.ts";

/** Rows in one transaction. */
const STEP_ROWS = 5_000;
/** About a month. */
const RESULTS: PartitionedTable = { name: "results", days: 28 };
const PARTITIONS_AHEAD = 1;

/**
 * Makes partitions of results for what is to come, and drops those in which all is older.
 * @param beforeMs undefined: results are kept for ever
 * @returns what was done, in words for the log
 */
export async function turnResultPartitions(
  session: Session,
  beforeMs: number | undefined,
): Promise<string[]> {
  const { db, dialect } = session;
  if (dialect.kind !== "postgres") return [];
  const oldest = beforeMs === undefined ? undefined : Math.min(beforeMs, await oldestOpenScanMs(session));
  if (await isPartitioned(session, RESULTS)) {
    const made = await createPartitions(session, RESULTS, await readClock(session), PARTITIONS_AHEAD);
    const dropped = oldest === undefined ? [] : await dropPartitions(session, RESULTS, oldest);
    return [...made.map((name) => `made ${name}`), ...dropped.map((name) => `dropped ${name}`)];
  }
  if (oldest === undefined) return [];
  const { rows } = await sql<{ chunk: string }>`
    select drop_chunks(${RESULTS.name}, older_than => ${sql.lit(oldest)}::bigint)::text as chunk`.execute(db);
  return rows.map(({ chunk }) => `dropped ${chunk}`);
}

/** When the oldest scan was made that has not ended. */
async function oldestOpenScanMs({ db }: Session): Promise<number> {
  const { oldest } = await db
    .selectFrom("scans")
    .select((eb) => eb.fn.min<number | null>("created_at").as("oldest"))
    .where("ended_at", "is", null)
    .executeTakeFirstOrThrow();
  return oldest ?? Number.MAX_SAFE_INTEGER;
}

/** Deletes some results of the oldest scan that was made before. @returns false when there is none */
export async function deleteSomeResults(session: Session, beforeMs: number): Promise<boolean> {
  const { db, dialect } = session;
  const scan = await db
    .selectFrom("scans")
    .select(["id", "created_at"])
    .where("results_deleted_at", "is", null)
    .where("ended_at", "is not", null)
    .where("created_at", "<", beforeMs)
    .orderBy("id")
    .limit(1)
    .executeTakeFirst();
  if (scan === undefined) return false;
  const { id: scanId, created_at: at } = scan;
  if (await deleteSomeRows(session, { scanId, at })) return true;
  await db.deleteFrom("suspicious_hosts").where("scan_id", "=", scanId).execute();
  await db
    .deleteFrom("job_batches")
    .where("job_id", "in", (eb) => eb.selectFrom("jobs").select("id").where("scan_id", "=", scanId))
    .execute();
  await db
    .updateTable("scans")
    .set({ results_deleted_at: dialect.nowMs() })
    .where("id", "=", scanId)
    .execute();
  return true;
}

/** Of the scan's first vantage point that has any. @returns false when there are none */
async function deleteSomeRows(session: Session, of: ResultsOf): Promise<boolean> {
  const [first] = await listResults(session, of, undefined, 1);
  if (first === undefined) return false;
  const { vantage_id } = first;
  const upTo = await resultAfter(session, of, vantage_id, undefined, STEP_ROWS);
  await session.db
    .deleteFrom("results")
    .where("scan_id", "=", of.scanId)
    .where("at", "=", of.at)
    .where("vantage_id", "=", vantage_id)
    .where(inWindow({ upTo }))
    .execute();
  return true;
}

/** Deletes some log lines of the oldest scan that was made before. @returns false when there is none */
export async function deleteSomeLogs({ db, dialect }: Session, beforeMs: number): Promise<boolean> {
  const scan = await db
    .selectFrom("scans")
    .select("id")
    .where("logs_deleted_at", "is", null)
    .where("ended_at", "is not", null)
    .where("created_at", "<", beforeMs)
    .orderBy("id")
    .limit(1)
    .executeTakeFirst();
  if (scan === undefined) return false;
  const { numDeletedRows } = await db
    .deleteFrom("scan_logs")
    .where("id", "in", (eb) =>
      eb.selectFrom("scan_logs").select("id").where("scan_id", "=", scan.id).orderBy("id").limit(STEP_ROWS),
    )
    .executeTakeFirstOrThrow();
  if (numDeletedRows < BigInt(STEP_ROWS)) {
    await db
      .updateTable("scans")
      .set({ logs_deleted_at: dialect.nowMs() })
      .where("id", "=", scan.id)
      .execute();
  }
  return true;
}

/** Deletes some changes that were noticed before. @returns false when there are none left */
export async function deleteSomeChanges({ db }: Session, beforeMs: number): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom("changes")
    .where("id", "in", (eb) =>
      eb
        .selectFrom("changes")
        .select("id")
        .where("at", "<", beforeMs)
        .orderBy("at")
        .orderBy("id")
        .limit(STEP_ROWS),
    )
    .executeTakeFirstOrThrow();
  return numDeletedRows >= BigInt(STEP_ROWS);
}
