/** Queries on the addresses of discovery lists. */

import type { Selectable } from "kysely";
import { sql } from "kysely";
import type { Session } from "./store.ts";
import type { DiscoveryAddressesTable } from "./tables.ts";

export type DiscoveryAddressRow = Selectable<DiscoveryAddressesTable>;

/** Rows in one statement: four parameters each, below the 32,766 of SQLite. */
const ROWS_PER_STATEMENT = 5_000;

/** Adds those that are not there; of the others, notes that they were seen then. @param addresses canonical, each once */
export async function upsertAddresses(
  { db }: Session,
  listId: number,
  addresses: readonly string[],
  seenAtMs: number,
): Promise<void> {
  for (let i = 0; i < addresses.length; i += ROWS_PER_STATEMENT) {
    await db
      .insertInto("discovery_addresses")
      .values(
        addresses.slice(i, i + ROWS_PER_STATEMENT).map((address) => ({
          list_id: listId,
          address,
          first_seen: seenAtMs,
          last_seen: seenAtMs,
        })),
      )
      .onConflict((conflict) => conflict.columns(["list_id", "address"]).doUpdateSet({ last_seen: seenAtMs }))
      .execute();
  }
}

/** @returns how many were there */
export async function deleteAddresses(
  { db }: Session,
  listId: number,
  addresses: readonly string[],
): Promise<number> {
  let deleted = 0;
  for (let i = 0; i < addresses.length; i += ROWS_PER_STATEMENT) {
    const { numDeletedRows } = await db
      .deleteFrom("discovery_addresses")
      .where("list_id", "=", listId)
      .where("address", "in", addresses.slice(i, i + ROWS_PER_STATEMENT))
      .executeTakeFirst();
    deleted += Number(numDeletedRows);
  }
  return deleted;
}

/** Those that were last seen before the time. @returns how many there were */
export async function deleteAddressesSeenBefore(
  { db }: Session,
  listId: number,
  timeMs: number,
): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom("discovery_addresses")
    .where("list_id", "=", listId)
    .where("last_seen", "<", timeMs)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

export async function deleteAllAddresses({ db }: Session, listId: number): Promise<void> {
  await db.deleteFrom("discovery_addresses").where("list_id", "=", listId).execute();
}

/**
 * Counts the list's addresses and notes it with the list.
 * @param pushedAtMs when there was a push
 * @returns how many there are
 */
export async function recountAddresses(
  { db }: Session,
  listId: number,
  pushedAtMs?: number,
): Promise<number> {
  const { addresses } = await db
    .updateTable("discovery_lists")
    .set({
      addresses: sql<number>`(select count(*) from discovery_addresses where list_id = ${listId})`,
      ...(pushedAtMs === undefined ? {} : { last_push_at: pushedAtMs }),
    })
    .where("id", "=", listId)
    .returning("addresses")
    .executeTakeFirstOrThrow();
  return addresses;
}

/** By id of the row. */
export async function listAddresses(
  { db }: Session,
  listId: number,
  page: { readonly limit: number; readonly after: number | undefined },
): Promise<DiscoveryAddressRow[]> {
  return db
    .selectFrom("discovery_addresses")
    .selectAll()
    .where("list_id", "=", listId)
    .where("id", ">", page.after ?? 0)
    .orderBy("id")
    .limit(page.limit)
    .execute();
}

/** All addresses of one list. */
export async function listAddressTexts({ db }: Session, listId: number): Promise<string[]> {
  const rows = await db
    .selectFrom("discovery_addresses")
    .select("address")
    .where("list_id", "=", listId)
    .execute();
  return rows.map(({ address }) => address);
}
