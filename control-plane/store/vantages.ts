/**
 * Vantage points: from where something was seen. One is a scanner, or the pool of scanners that a network is assigned
 * to, whose members stand for each other. Results of one are compared with its own, never with another's.
 */

import type { Session } from "./store.ts";

/** The key of a scanner's own vantage point. */
export function scannerVantage(scannerId: number): string {
  return `scanner:${scannerId}`;
}

/** Returns the ids of these vantage points, by key; makes those that are not there. */
export async function ensureVantages(
  { db }: Session,
  keys: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (keys.length === 0) return new Map();
  const distinct = [...new Set(keys)].toSorted();
  await db
    .insertInto("vantages")
    .values(distinct.map((key) => ({ key })))
    .onConflict((conflict) => conflict.column("key").doNothing())
    .execute();
  const rows = await db.selectFrom("vantages").select(["id", "key"]).where("key", "in", distinct).execute();
  return new Map(rows.map(({ id, key }) => [key, id]));
}
