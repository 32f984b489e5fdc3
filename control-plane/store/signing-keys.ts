/** Queries on the keys that all replicas sign with. Made by whoever needs one first, and kept. */

import type { Session } from "./store.ts";

export interface SigningKey {
  /** base64url */
  readonly secret: string;
  /** The database's time: signatures expire by it. */
  readonly now_ms: number;
}

export async function findSigningKey(
  { db, dialect }: Session,
  name: string,
): Promise<SigningKey | undefined> {
  return db
    .selectFrom("signing_keys")
    .select("secret")
    .select(dialect.nowMs().as("now_ms"))
    .where("name", "=", name)
    .executeTakeFirst();
}

/** Leaves a key that is there already as it is. */
export async function insertSigningKey(
  { db, dialect }: Session,
  name: string,
  secret: string,
): Promise<void> {
  await db
    .insertInto("signing_keys")
    .values({ name, secret, created_at: dialect.nowMs() })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .execute();
}
