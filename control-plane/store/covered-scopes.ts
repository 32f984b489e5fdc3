/**
 * Queries on what a vantage point has once looked at in full. A scan that comes again covers the same scopes, so they
 * stay few; of those that never came again the oldest are forgotten.
 */

import type { Insertable } from "kysely";
import type { Session } from "./store.ts";
import type { CoveredScopesTable } from "./tables.ts";

/** Of one vantage point; a scan of a large network is some thousands of jobs. */
const MAX_SCOPES = 20_000;

type NewScope = Omit<Insertable<CoveredScopesTable>, "covered_at">;

export async function noteCoveredScope({ db, dialect }: Session, scope: NewScope): Promise<void> {
  await db
    .insertInto("covered_scopes")
    .values({ ...scope, covered_at: dialect.nowMs() })
    .onConflict((conflict) =>
      conflict.columns(["vantage_id", "digest"]).doUpdateSet({ covered_at: dialect.nowMs() }),
    )
    .execute();
  const surplus = await db
    .selectFrom("covered_scopes")
    .select("covered_at")
    .where("vantage_id", "=", scope.vantage_id)
    .orderBy("covered_at", "desc")
    .offset(MAX_SCOPES)
    .limit(1)
    .executeTakeFirst();
  if (surplus === undefined) return;
  await db
    .deleteFrom("covered_scopes")
    .where("vantage_id", "=", scope.vantage_id)
    .where("covered_at", "<=", surplus.covered_at)
    .execute();
}

/** Digests of scopes that may have addresses between these, newest first. */
export async function listCoveredScopes(
  { db }: Session,
  vantageId: number,
  span: { readonly first: Uint8Array; readonly last: Uint8Array },
  limit: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom("covered_scopes")
    .select("digest")
    .where("vantage_id", "=", vantageId)
    .where("first_address", "<=", span.last)
    .where("last_address", ">=", span.first)
    .orderBy("covered_at", "desc")
    .limit(limit)
    .execute();
  return rows.map(({ digest }) => digest);
}

/** JSON of the scope's `JobTarget[]`. */
export async function findCoveredTargets(
  { db }: Session,
  vantageId: number,
  digest: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom("covered_scopes")
    .select("targets")
    .where("vantage_id", "=", vantageId)
    .where("digest", "=", digest)
    .executeTakeFirst();
  return row?.targets;
}
