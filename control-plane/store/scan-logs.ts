/** Queries on the log lines that scanners send about a scan. */

import type { Insertable, Selectable } from "kysely";
import type { Session } from "./store.ts";
import type { ScanLogsTable } from "./tables.ts";

export type ScanLogRow = Selectable<ScanLogsTable>;

export async function insertScanLogs(
  { db }: Session,
  lines: readonly Omit<Insertable<ScanLogsTable>, "id">[],
): Promise<void> {
  await db.insertInto("scan_logs").values(lines).execute();
}

/** Lines of a scan as they arrived, those after the cursor. */
export async function listScanLogs(
  { db }: Session,
  scanId: number,
  page: { readonly limit: number; readonly after: number },
): Promise<ScanLogRow[]> {
  return db
    .selectFrom("scan_logs")
    .selectAll()
    .where("scan_id", "=", scanId)
    .where("id", ">", page.after)
    .orderBy("id")
    .limit(page.limit)
    .execute();
}
