/** Queries on enrolment tokens, by which many hosts make themselves scanners. Only their hashes are known here. */

import { type Selectable, sql } from "kysely";
import type { Session } from "./store.ts";
import type { EnrolmentTokensTable } from "./tables.ts";

export interface EnrolmentTokenRow extends Selectable<EnrolmentTokensTable> {
  readonly now_ms: number;
}

export interface NewEnrolmentToken {
  readonly name: string;
  readonly hash: string;
  readonly bindingMode: EnrolmentTokensTable["binding_mode"];
  readonly rateLimit: number;
  readonly maxUses: number;
  readonly ttlMs: number;
  readonly createdBy: string;
}

function selectTokens({ db, dialect }: Session) {
  return db.selectFrom("enrolment_tokens").selectAll().select(dialect.nowMs().as("now_ms"));
}

export async function insertEnrolmentToken(
  { db, dialect }: Session,
  token: NewEnrolmentToken,
): Promise<number> {
  const now = dialect.nowMs();
  const { id } = await db
    .insertInto("enrolment_tokens")
    .values({
      name: token.name,
      token_hash: token.hash,
      binding_mode: token.bindingMode,
      rate_limit: token.rateLimit,
      max_uses: token.maxUses,
      created_by: token.createdBy,
      created_at: now,
      expires_at: sql<number>`${now} + ${sql.lit(token.ttlMs)}`,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

/** Those that were not revoked, expired ones too; by name. */
export async function listEnrolmentTokens(session: Session): Promise<EnrolmentTokenRow[]> {
  return selectTokens(session).where("revoked_at", "is", null).orderBy("name").execute();
}

/** Revoked ones too. */
export async function findEnrolmentToken(
  session: Session,
  id: number,
): Promise<EnrolmentTokenRow | undefined> {
  return selectTokens(session).where("id", "=", id).executeTakeFirst();
}

/** Revoked ones too. */
export async function findEnrolmentTokenByHash(
  session: Session,
  hash: string,
): Promise<EnrolmentTokenRow | undefined> {
  return selectTokens(session).where("token_hash", "=", hash).executeTakeFirst();
}

/** Counts a use. False when the token was revoked, has expired, or was used up: of two callers for the last use one gets true. */
export async function useEnrolmentToken({ db, dialect }: Session, hash: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("enrolment_tokens")
    .set((eb) => ({ uses: eb("uses", "+", 1), last_used_at: dialect.nowMs() }))
    .where("token_hash", "=", hash)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", dialect.nowMs())
    .whereRef("uses", "<", "max_uses")
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** False when there is no such token that still works. */
export async function revokeEnrolmentToken({ db, dialect }: Session, id: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("enrolment_tokens")
    .set({ revoked_at: dialect.nowMs() })
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
