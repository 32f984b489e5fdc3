/** Queries on the log lines that scanners send about a scan. */

import type { Insertable, Selectable } from "kysely";
import type { Session } from "./store.ts";
import type { ScanLogsTable } from "./tables.ts";

export type ScanLogRow = Selectable<ScanLogsTable>;

/**
 * Adds lines of one scan, and tells those who follow it. Last thing in a transaction: ids have to become visible in
 * their order, or whoever reads on from the last one would miss a lower one; so the scan's other lines wait.
 */
export async function insertScanLogs(
  session: Session,
  scanId: number,
  lines: readonly Omit<Insertable<ScanLogsTable>, "id" | "scan_id">[],
): Promise<void> {
  const { db, dialect } = session;
  await dialect.holdLock(db, "scanLogs", scanId);
  await db
    .insertInto("scan_logs")
    .values(lines.map((line) => ({ ...line, scan_id: scanId })))
    .execute();
  await announceScanLogs(session, scanId);
}

/** Wakes those who follow the scan: there are new lines, or it has ended. */
export async function announceScanLogs(session: Session, scanId: number): Promise<void> {
  await session.notify("portolan_scan_logs", String(scanId));
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
