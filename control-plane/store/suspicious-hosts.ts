/** Queries on hosts whose answers a scan keeps and does not believe. */

import type { Selectable } from "kysely";
import type { Session } from "./store.ts";
import type { SuspiciousHostsTable } from "./tables.ts";

export type SuspiciousHostRow = Selectable<SuspiciousHostsTable>;

export async function markSuspiciousHost({ db }: Session, host: SuspiciousHostRow): Promise<void> {
  await db
    .insertInto("suspicious_hosts")
    .values(host)
    .onConflict((conflict) => conflict.columns(["scan_id", "vantage_id", "address"]).doNothing())
    .execute();
}

/** By vantage point and address; only of these addresses, where they are given. */
export async function listSuspiciousHosts(
  { db }: Session,
  scanId: number,
  limit: number,
  addresses?: readonly Uint8Array[],
): Promise<SuspiciousHostRow[]> {
  if (addresses?.length === 0) return [];
  let query = db
    .selectFrom("suspicious_hosts")
    .selectAll()
    .where("scan_id", "=", scanId)
    .orderBy("vantage_id")
    .orderBy("address")
    .limit(limit);
  if (addresses !== undefined) query = query.where("address", "in", addresses);
  return query.execute();
}
