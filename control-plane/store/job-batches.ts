/** Queries on numbered batches: which arrived under which lease, so that a repeat counts once. */

import { sql } from "kysely";
import type { Session } from "./store.ts";
import type { JobBatchesTable } from "./tables.ts";

export type BatchKey = Pick<JobBatchesTable, "job_id" | "lease_id" | "kind" | "batch">;

/** Notes the batch. False when it was noted before. */
export async function insertBatch(
  { db, dialect }: Session,
  key: BatchKey,
  rowCount: number,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto("job_batches")
    .values({ ...key, row_count: rowCount, stored_at: dialect.nowMs() })
    .onConflict((conflict) => conflict.columns(["job_id", "lease_id", "kind", "batch"]).doNothing())
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function hasBatch({ db }: Session, key: BatchKey): Promise<boolean> {
  const row = await db
    .selectFrom("job_batches")
    .select("batch")
    .where("job_id", "=", key.job_id)
    .where("lease_id", "=", key.lease_id)
    .where("kind", "=", key.kind)
    .where("batch", "=", key.batch)
    .executeTakeFirst();
  return row !== undefined;
}

/** Results that arrived in the batches of a lease, before merging. */
export async function countDelivered(
  { db, dialect }: Session,
  jobId: number,
  leaseId: string,
): Promise<number> {
  const integer = sql.raw(dialect.columnTypes.integer);
  const { rows } = await db
    .selectFrom("job_batches")
    .select(sql<number>`cast(coalesce(sum(row_count), 0) as ${integer})`.as("rows"))
    .where("job_id", "=", jobId)
    .where("lease_id", "=", leaseId)
    .where("kind", "=", "results")
    .executeTakeFirstOrThrow();
  return rows;
}
