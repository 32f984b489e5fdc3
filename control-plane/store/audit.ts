/** Queries on the audit log: rows are added and read, never changed. The chain of hashes is the service's. */

import type { Insertable, Selectable } from "kysely";
import type { Session } from "./store.ts";
import type { AuditTable } from "./tables.ts";

export type AuditRow = Selectable<AuditTable>;

/** The newest row. Hold the `audit` lock, or it may not be the newest when the next is added. */
export async function findLastAuditRow({ db }: Session): Promise<AuditRow | undefined> {
  return db.selectFrom("audit").selectAll().orderBy("id", "desc").limit(1).executeTakeFirst();
}

export async function insertAuditRow(
  { db }: Session,
  row: Omit<Insertable<AuditTable>, "id">,
): Promise<void> {
  await db.insertInto("audit").values(row).execute();
}

/** Newest first, those before the cursor. */
export async function listAuditRows(
  { db }: Session,
  page: { readonly limit: number; readonly before: number | undefined },
): Promise<AuditRow[]> {
  let query = db.selectFrom("audit").selectAll().orderBy("id", "desc").limit(page.limit);
  if (page.before !== undefined) query = query.where("id", "<", page.before);
  return query.execute();
}

/** Oldest first, those after the cursor: the order of the chain. */
export async function listAuditChain(
  { db }: Session,
  page: { readonly limit: number; readonly after: number },
): Promise<AuditRow[]> {
  return db
    .selectFrom("audit")
    .selectAll()
    .where("id", ">", page.after)
    .orderBy("id")
    .limit(page.limit)
    .execute();
}
