/** Queries on subnets. */

import type { Insertable, Selectable } from "kysely";
import { type ListPage, nameContains } from "./catalogue.ts";
import { isReferredTo, LINKS } from "./links.ts";
import type { Session } from "./store.ts";
import type { SubnetsTable } from "./tables.ts";

export type SubnetRow = Selectable<SubnetsTable>;
export type NewSubnet = Omit<Insertable<SubnetsTable>, "id" | "created_at" | "updated_at" | "deleted_at">;
export type SubnetChange = Omit<NewSubnet, "created_by">;

/** Rows in one statement: ten columns each, below the 32,766 parameters of SQLite. */
const ROWS_PER_STATEMENT = 2_000;

/** @returns their ids, in the order of the subnets */
export async function insertSubnets(
  { db, dialect }: Session,
  subnets: readonly NewSubnet[],
): Promise<number[]> {
  const ids = new Map<string, number>();
  const now = { created_at: dialect.nowMs(), updated_at: dialect.nowMs() };
  const rowOf = (subnet: NewSubnet) => ({ ...subnet, ...now });
  for (let i = 0; i < subnets.length; i += ROWS_PER_STATEMENT) {
    const rows = await db
      .insertInto("subnets")
      .values(subnets.slice(i, i + ROWS_PER_STATEMENT).map(rowOf))
      .returning(["id", "name"])
      .execute();
    for (const { id, name } of rows) ids.set(name, id);
  }
  return subnets.flatMap(({ name }) => ids.get(name) ?? []);
}

export async function updateSubnet(
  { db, dialect }: Session,
  id: number,
  change: SubnetChange,
): Promise<void> {
  await db
    .updateTable("subnets")
    .set({ ...change, updated_at: dialect.nowMs() })
    .where("id", "=", id)
    .execute();
}

export async function findSubnet({ db }: Session, id: number): Promise<SubnetRow | undefined> {
  return db
    .selectFrom("subnets")
    .selectAll()
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
}

export async function listSubnets({ db }: Session, { limit, after, q }: ListPage): Promise<SubnetRow[]> {
  let query = db.selectFrom("subnets").selectAll().where("deleted_at", "is", null).orderBy("id").limit(limit);
  if (after !== undefined) query = query.where("id", ">", after);
  if (q !== undefined) query = query.where(nameContains(q));
  return query.execute();
}

/** The subnets of a template, by id. */
export async function listSubnetsOfTemplate({ db }: Session, templateId: number): Promise<SubnetRow[]> {
  return db
    .selectFrom("subnets")
    .selectAll()
    .where(isReferredTo(LINKS.templateSubnets, templateId))
    .orderBy("id")
    .execute();
}
