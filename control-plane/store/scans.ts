/** Queries on scans. */

import type { Insertable, Selectable } from "kysely";
import type { ScanStatus } from "#shared/protocol/operator.ts";
import type { Session } from "./store.ts";
import type { ScansTable } from "./tables.ts";

export type ScanRow = Selectable<ScansTable>;

export async function insertScan(
  { db, dialect }: Session,
  scan: Omit<Insertable<ScansTable>, "created_at" | "status">,
): Promise<number> {
  const { id } = await db
    .insertInto("scans")
    .values({ ...scan, status: "planned", created_at: dialect.nowMs() })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

export async function findScan({ db }: Session, id: number): Promise<ScanRow | undefined> {
  return db.selectFrom("scans").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Newest first, those before the cursor. */
export async function listScans(
  { db }: Session,
  page: { readonly limit: number; readonly before: number | undefined },
): Promise<ScanRow[]> {
  let query = db.selectFrom("scans").selectAll().orderBy("id", "desc").limit(page.limit);
  if (page.before !== undefined) query = query.where("id", "<", page.before);
  return query.execute();
}

/** Holds the scan until the transaction ends. Whoever locks a scan and its jobs locks the scan first. */
export async function lockScan({ db, dialect }: Session, id: number): Promise<ScanRow | undefined> {
  return dialect.lockRows(db.selectFrom("scans").selectAll().where("id", "=", id)).executeTakeFirst();
}

export async function markScanRunning({ db, dialect }: Session, id: number): Promise<void> {
  await db
    .updateTable("scans")
    .set({ status: "running", started_at: dialect.nowMs() })
    .where("id", "=", id)
    .where("status", "=", "planned")
    .execute();
}

export async function requestCancel({ db, dialect }: Session, id: number): Promise<void> {
  await db
    .updateTable("scans")
    .set({ cancel_requested_at: dialect.nowMs() })
    .where("id", "=", id)
    .where("cancel_requested_at", "is", null)
    .execute();
}

export async function endScan(
  { db, dialect }: Session,
  id: number,
  outcome: { readonly status: ScanStatus; readonly errorMessage: string | null },
): Promise<void> {
  await db
    .updateTable("scans")
    .set({ status: outcome.status, error_message: outcome.errorMessage, ended_at: dialect.nowMs() })
    .where("id", "=", id)
    .where("ended_at", "is", null)
    .execute();
}
