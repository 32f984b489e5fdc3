/** Queries on scanner groups; their members are in `links.ts`. */

import type { Insertable, Selectable } from "kysely";
import { type ListPage, nameContains } from "./catalogue.ts";
import type { Session } from "./store.ts";
import type { ScannerGroupsTable } from "./tables.ts";

export type ScannerGroupRow = Selectable<ScannerGroupsTable>;
export type NewScannerGroup = Pick<Insertable<ScannerGroupsTable>, "name" | "description" | "created_by">;
export type ScannerGroupChange = Omit<NewScannerGroup, "created_by">;

export async function insertScannerGroup({ db, dialect }: Session, group: NewScannerGroup): Promise<number> {
  const { id } = await db
    .insertInto("scanner_groups")
    .values({ ...group, created_at: dialect.nowMs(), updated_at: dialect.nowMs() })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

export async function updateScannerGroup(
  { db, dialect }: Session,
  id: number,
  change: ScannerGroupChange,
): Promise<void> {
  await db
    .updateTable("scanner_groups")
    .set({ ...change, updated_at: dialect.nowMs() })
    .where("id", "=", id)
    .execute();
}

export async function findScannerGroup({ db }: Session, id: number): Promise<ScannerGroupRow | undefined> {
  return db
    .selectFrom("scanner_groups")
    .selectAll()
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
}

export async function listScannerGroups(
  { db }: Session,
  { limit, after, q }: ListPage,
): Promise<ScannerGroupRow[]> {
  let query = db
    .selectFrom("scanner_groups")
    .selectAll()
    .where("deleted_at", "is", null)
    .orderBy("id")
    .limit(limit);
  if (after !== undefined) query = query.where("id", ">", after);
  if (q !== undefined) query = query.where(nameContains(q));
  return query.execute();
}
