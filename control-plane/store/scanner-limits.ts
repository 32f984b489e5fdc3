/** The rate limits of all scanners: what an estimate needs of them, and no more. */

import type { Session } from "./store.ts";

/** Probes per second by scanner; 0 is unlimited. */
export async function listRateLimits({ db }: Session): Promise<ReadonlyMap<number, number>> {
  const rows = await db
    .selectFrom("scanners")
    .select(["id", "rate_limit"])
    .where("deleted_at", "is", null)
    .execute();
  return new Map(rows.map(({ id, rate_limit }) => [id, rate_limit]));
}
