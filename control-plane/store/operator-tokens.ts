/** Queries on operators' tokens. Only their hashes are known here. */

import { type Selectable, sql } from "kysely";
import type { OperatorRole } from "#shared/protocol/administration.ts";
import type { Session } from "./store.ts";
import type { OperatorTokensTable } from "./tables.ts";

export type OperatorTokenRow = Selectable<OperatorTokensTable>;

/** The last use is noted at most this often: it is for people, and every request would be a write. */
const LAST_USE_RESOLUTION_MS = 60_000;

export async function insertOperatorToken(
  { db, dialect }: Session,
  token: {
    readonly name: string;
    readonly hash: string;
    readonly role: OperatorRole;
    readonly createdBy: string;
  },
): Promise<OperatorTokenRow> {
  return db
    .insertInto("operator_tokens")
    .values({
      name: token.name,
      token_hash: token.hash,
      role: token.role,
      created_by: token.createdBy,
      created_at: dialect.nowMs(),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function hasOperatorTokens({ db }: Session): Promise<boolean> {
  return (await db.selectFrom("operator_tokens").select("id").limit(1).executeTakeFirst()) !== undefined;
}

export async function listOperatorTokens({ db }: Session): Promise<OperatorTokenRow[]> {
  return db.selectFrom("operator_tokens").selectAll().orderBy("id").execute();
}

/** A token that has not been revoked. */
export async function findOperatorToken(
  { db }: Session,
  hash: string,
): Promise<OperatorTokenRow | undefined> {
  return db
    .selectFrom("operator_tokens")
    .selectAll()
    .where("token_hash", "=", hash)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
}

export async function touchOperatorToken({ db, dialect }: Session, id: number): Promise<void> {
  const stale = sql<number>`${dialect.nowMs()} - ${sql.lit(LAST_USE_RESOLUTION_MS)}`;
  await db
    .updateTable("operator_tokens")
    .set({ last_used_at: dialect.nowMs() })
    .where("id", "=", id)
    .where((eb) => eb.or([eb("last_used_at", "is", null), eb("last_used_at", "<", stale)]))
    .execute();
}

/** False when there is no such token, or it was revoked before. */
export async function revokeOperatorToken({ db, dialect }: Session, id: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("operator_tokens")
    .set({ revoked_at: dialect.nowMs() })
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
