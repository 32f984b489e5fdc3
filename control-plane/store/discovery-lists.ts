/** Queries on discovery lists. Their addresses are in `discovery-addresses.ts`. */

import type { Insertable, Selectable } from "kysely";
import { type ListPage, nameContains } from "./catalogue.ts";
import { isReferredTo, LINKS } from "./links.ts";
import type { Session } from "./store.ts";
import type { DiscoveryListsTable } from "./tables.ts";

export type DiscoveryListRow = Selectable<DiscoveryListsTable>;
export type NewDiscoveryList = Pick<
  Insertable<DiscoveryListsTable>,
  "name" | "description" | "rate_limit" | "created_by"
>;
export type DiscoveryListChange = Omit<NewDiscoveryList, "created_by">;

export async function insertDiscoveryList({ db, dialect }: Session, list: NewDiscoveryList): Promise<number> {
  const { id } = await db
    .insertInto("discovery_lists")
    .values({ ...list, created_at: dialect.nowMs(), updated_at: dialect.nowMs() })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

export async function updateDiscoveryList(
  { db, dialect }: Session,
  id: number,
  change: DiscoveryListChange,
): Promise<void> {
  await db
    .updateTable("discovery_lists")
    .set({ ...change, updated_at: dialect.nowMs() })
    .where("id", "=", id)
    .execute();
}

export async function findDiscoveryList({ db }: Session, id: number): Promise<DiscoveryListRow | undefined> {
  return db
    .selectFrom("discovery_lists")
    .selectAll()
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
}

export async function listDiscoveryLists(
  { db }: Session,
  { limit, after, q }: ListPage,
): Promise<DiscoveryListRow[]> {
  let query = db
    .selectFrom("discovery_lists")
    .selectAll()
    .where("deleted_at", "is", null)
    .orderBy("id")
    .limit(limit);
  if (after !== undefined) query = query.where("id", ">", after);
  if (q !== undefined) query = query.where(nameContains(q));
  return query.execute();
}

/** The discovery lists of a template, by id. */
export async function listDiscoveryListsOfTemplate(
  { db }: Session,
  templateId: number,
): Promise<DiscoveryListRow[]> {
  return db
    .selectFrom("discovery_lists")
    .selectAll()
    .where(isReferredTo(LINKS.templateDiscoveryLists, templateId))
    .orderBy("id")
    .execute();
}
