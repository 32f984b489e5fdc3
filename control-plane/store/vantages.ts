/**
 * Vantage points: from where something was seen. One is a scanner, or the pool of scanners that a network is assigned
 * to, whose members stand for each other. Results of one are compared with its own, never with another's.
 */

import type { Session } from "./store.ts";

const KEYS_PER_STATEMENT = 1_000;

/** The key of a scanner's own vantage point. */
export function scannerVantage(scannerId: number): string {
  return `scanner:${scannerId}`;
}

/** The key of the pool of scanners that a subnet or a discovery list is assigned to. */
export function poolVantage({ kind, id }: { readonly kind: string; readonly id: number }): string {
  return `${kind}:${id}`;
}

/** Returns the ids of these vantage points, by key; makes those that are not there. */
export async function ensureVantages(
  { db }: Session,
  keys: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (keys.length === 0) return new Map();
  const distinct = [...new Set(keys)].toSorted();
  const ids = new Map<string, number>();
  for (let start = 0; start < distinct.length; start += KEYS_PER_STATEMENT) {
    const some = distinct.slice(start, start + KEYS_PER_STATEMENT);
    await db
      .insertInto("vantages")
      .values(some.map((key) => ({ key })))
      .onConflict((conflict) => conflict.column("key").doNothing())
      .execute();
    const rows = await db.selectFrom("vantages").select(["id", "key"]).where("key", "in", some).execute();
    for (const { id, key } of rows) ids.set(key, id);
  }
  return ids;
}

export interface VantageRow {
  readonly id: number;
  readonly key: string;
}

/** The vantage points of a scan. */
export async function listVantagesOfScan({ db }: Session, scanId: number): Promise<VantageRow[]> {
  return db
    .selectFrom("vantages")
    .select(["id", "key"])
    .where("id", "in", (eb) => eb.selectFrom("jobs").select("vantage_id").where("scan_id", "=", scanId))
    .orderBy("id")
    .execute();
}

/** Keys by id. */
export async function findVantageKeys(
  { db }: Session,
  ids: Iterable<number>,
): Promise<ReadonlyMap<number, string>> {
  const distinct = [...new Set(ids)];
  if (distinct.length === 0) return new Map();
  const rows = await db.selectFrom("vantages").select(["id", "key"]).where("id", "in", distinct).execute();
  return new Map(rows.map(({ id, key }) => [id, key]));
}

export async function findVantageId({ db }: Session, key: string): Promise<number | undefined> {
  const row = await db.selectFrom("vantages").select("id").where("key", "=", key).executeTakeFirst();
  return row?.id;
}

/** All there are, those from this id on. */
export async function listVantages({ db }: Session, fromId: number): Promise<VantageRow[]> {
  return db.selectFrom("vantages").select(["id", "key"]).where("id", ">=", fromId).orderBy("id").execute();
}
