/** Queries on port lists. */

import type { Insertable, Selectable } from "kysely";
import { type ListPage, nameContains } from "./catalogue.ts";
import { isReferredTo, LINKS } from "./links.ts";
import type { Session } from "./store.ts";
import type { PortListsTable } from "./tables.ts";

export type PortListRow = Selectable<PortListsTable>;
/** Without the texts, which may be long. */
export type PortListItemRow = Omit<PortListRow, "spec" | "canonical">;
export type NewPortList = Omit<Insertable<PortListsTable>, "id" | "created_at" | "updated_at" | "deleted_at">;
export type PortListChange = Omit<NewPortList, "created_by">;

export async function insertPortList({ db, dialect }: Session, list: NewPortList): Promise<number> {
  const { id } = await db
    .insertInto("port_lists")
    .values({ ...list, created_at: dialect.nowMs(), updated_at: dialect.nowMs() })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

export async function updatePortList(
  { db, dialect }: Session,
  id: number,
  change: PortListChange,
): Promise<void> {
  await db
    .updateTable("port_lists")
    .set({ ...change, updated_at: dialect.nowMs() })
    .where("id", "=", id)
    .execute();
}

export async function findPortList({ db }: Session, id: number): Promise<PortListRow | undefined> {
  return db
    .selectFrom("port_lists")
    .selectAll()
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
}

export async function listPortLists(
  { db }: Session,
  { limit, after, q }: ListPage,
): Promise<PortListItemRow[]> {
  let query = db
    .selectFrom("port_lists")
    .select(["id", "name", "description", "ports", "rate_limit"])
    .select(["created_by", "created_at", "updated_at", "deleted_at"])
    .where("deleted_at", "is", null)
    .orderBy("id")
    .limit(limit);
  if (after !== undefined) query = query.where("id", ">", after);
  if (q !== undefined) query = query.where(nameContains(q));
  return query.execute();
}

/** The port lists of a template, by id. */
export async function listPortListsOfTemplate({ db }: Session, templateId: number): Promise<PortListRow[]> {
  return db
    .selectFrom("port_lists")
    .selectAll()
    .where(isReferredTo(LINKS.templatePortLists, templateId))
    .orderBy("id")
    .execute();
}
