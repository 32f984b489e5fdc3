/** Queries on scans. */

import type { Insertable, Selectable } from "kysely";
import type { ScanStatus } from "#shared/protocol/operator.ts";
import { nameContains } from "./catalogue.ts";
import { announceScanLogs } from "./scan-logs.ts";
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

export interface ScanFilter {
  readonly status?: ScanStatus | undefined;
  readonly templateId?: number | undefined;
  readonly scheduleId?: number | undefined;
  /** Part of the name, in any case. */
  readonly q?: string | undefined;
}

/** Newest first, those before the cursor. */
export async function listScans(
  { db }: Session,
  filter: ScanFilter,
  page: { readonly limit: number; readonly before: number | undefined },
): Promise<ScanRow[]> {
  let query = db.selectFrom("scans").selectAll().orderBy("id", "desc").limit(page.limit);
  if (page.before !== undefined) query = query.where("id", "<", page.before);
  if (filter.status !== undefined) query = query.where("status", "=", filter.status);
  if (filter.templateId !== undefined) query = query.where("template_id", "=", filter.templateId);
  if (filter.scheduleId !== undefined) query = query.where("schedule_id", "=", filter.scheduleId);
  if (filter.q !== undefined) query = query.where(nameContains(filter.q));
  return query.execute();
}

/** The scan of the schedule that has not ended. */
export async function findOpenScanOfSchedule(
  { db }: Session,
  scheduleId: number,
): Promise<{ id: number } | undefined> {
  return db
    .selectFrom("scans")
    .select("id")
    .where("schedule_id", "=", scheduleId)
    .where("ended_at", "is", null)
    .limit(1)
    .executeTakeFirst();
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

/** A scan that ends was running, unless nobody ever began it. Whoever follows the scan hears of it. */
export async function endScan(
  session: Session,
  id: number,
  outcome: { readonly status: ScanStatus; readonly errorMessage: string | null },
): Promise<void> {
  const { db, dialect } = session;
  await db
    .updateTable("scans")
    .set({ status: outcome.status, error_message: outcome.errorMessage, ended_at: dialect.nowMs() })
    .where("id", "=", id)
    .where("ended_at", "is", null)
    .execute();
  await announceScanLogs(session, id);
}
