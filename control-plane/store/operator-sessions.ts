/** Queries on browsers' sessions. Only their hashes are known here. */

import { type Selectable, sql } from "kysely";
import type { OperatorRole } from "#shared/protocol/administration.ts";
import type { Session } from "./store.ts";
import type { OperatorSessionsTable } from "./tables.ts";

export type OperatorSessionRow = Selectable<OperatorSessionsTable>;

/** A session, with what its operator's token says now. */
export interface LiveSessionRow extends OperatorSessionRow {
  readonly name: string;
  readonly role: OperatorRole;
}

export async function insertOperatorSession(
  { db, dialect }: Session,
  session: { readonly tokenId: number; readonly hash: string; readonly ttlMs: number },
): Promise<OperatorSessionRow> {
  return db
    .insertInto("operator_sessions")
    .values({
      token_id: session.tokenId,
      session_hash: session.hash,
      created_at: dialect.nowMs(),
      expires_at: sql<number>`${dialect.nowMs()} + ${session.ttlMs}`,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** A session whose time is not over and whose token has not been revoked. */
export async function findLiveSession(
  { db, dialect }: Session,
  hash: string,
): Promise<LiveSessionRow | undefined> {
  return db
    .selectFrom("operator_sessions")
    .innerJoin("operator_tokens", "operator_tokens.id", "operator_sessions.token_id")
    .selectAll("operator_sessions")
    .select(["operator_tokens.name", "operator_tokens.role"])
    .where("session_hash", "=", hash)
    .where("expires_at", ">", dialect.nowMs())
    .where("revoked_at", "is", null)
    .executeTakeFirst();
}

export async function deleteOperatorSession({ db }: Session, id: number): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom("operator_sessions").where("id", "=", id).executeTakeFirst();
  return numDeletedRows > 0n;
}

export async function deleteExpiredSessions({ db, dialect }: Session): Promise<void> {
  await db.deleteFrom("operator_sessions").where("expires_at", "<=", dialect.nowMs()).execute();
}
