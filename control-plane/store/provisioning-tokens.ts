/** Queries on one-time tokens. Only their hashes are known here. */

import { type Selectable, sql } from "kysely";
import type { Session } from "./store.ts";
import type { ProvisioningTokensTable } from "./tables.ts";

export interface ProvisioningTokenRow extends Selectable<ProvisioningTokensTable> {
  readonly now_ms: number;
}

/** Returns when it expires. */
export async function insertProvisioningToken(
  { db, dialect }: Session,
  token: { readonly scannerId: number; readonly hash: string; readonly ttlMs: number },
): Promise<number> {
  const now = dialect.nowMs();
  const { expires_at } = await db
    .insertInto("provisioning_tokens")
    .values({
      scanner_id: token.scannerId,
      token_hash: token.hash,
      created_at: now,
      expires_at: sql<number>`${now} + ${sql.lit(token.ttlMs)}`,
    })
    .returning("expires_at")
    .executeTakeFirstOrThrow();
  return expires_at;
}

export async function findProvisioningToken(
  { db, dialect }: Session,
  hash: string,
): Promise<ProvisioningTokenRow | undefined> {
  return db
    .selectFrom("provisioning_tokens")
    .selectAll()
    .select(dialect.nowMs().as("now_ms"))
    .where("token_hash", "=", hash)
    .executeTakeFirst();
}

/** Uses the token up. False when it was used, replaced or expired before: of two callers one gets true. */
export async function consumeProvisioningToken(
  { db, dialect }: Session,
  hash: string,
  installId: string,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("provisioning_tokens")
    .set({ used_at: dialect.nowMs(), used_install_id: installId })
    .where("token_hash", "=", hash)
    .where("used_at", "is", null)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", dialect.nowMs())
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function revokeProvisioningTokens({ db, dialect }: Session, scannerId: number): Promise<void> {
  await db
    .updateTable("provisioning_tokens")
    .set({ revoked_at: dialect.nowMs() })
    .where("scanner_id", "=", scannerId)
    .where("revoked_at", "is", null)
    .execute();
}
