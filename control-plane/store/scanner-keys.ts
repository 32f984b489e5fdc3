/** Queries on scanners' keys: the present one and the one before it. Only their hashes are known here. */

import { sql } from "kysely";
import type { Session } from "./store.ts";

/** The new key takes the place of the present one, which stops working and is remembered as the former. */
export async function replaceApiKey({ db }: Session, id: number, keyHash: string | null): Promise<void> {
  await db
    .updateTable("scanners")
    .set((eb) => ({
      former_key_hash: eb.fn.coalesce("api_key_hash", "former_key_hash"),
      former_key_expires_at: null,
      rotation_requested_at: null,
      api_key_hash: keyHash,
    }))
    .where("id", "=", id)
    .execute();
}

export async function requestRotation({ db, dialect }: Session, id: number): Promise<void> {
  await db
    .updateTable("scanners")
    .set({ rotation_requested_at: dialect.nowMs() })
    .where("id", "=", id)
    .execute();
}

/**
 * The new key takes the place of the present one, which works for `graceMs` more. Asked for with the former key within
 * its grace, the present one was never seen: it is replaced, and the grace ends when it would have.
 * @returns until when the former key works; undefined when the key is neither, or no rotation was asked for any more
 */
export async function rotateApiKey(
  { db, dialect }: Session,
  id: number,
  keys: { readonly usedHash: string; readonly newHash: string; readonly graceMs: number },
): Promise<number | undefined> {
  const now = dialect.nowMs();
  const rotating = db
    .updateTable("scanners")
    .where("id", "=", id)
    .where("rotation_requested_at", "is not", null);
  const rotated = await rotating
    .set((eb) => ({
      former_key_hash: eb.ref("api_key_hash"),
      former_key_expires_at: sql<number>`${now} + ${sql.lit(keys.graceMs)}`,
      api_key_hash: keys.newHash,
    }))
    .where("api_key_hash", "=", keys.usedHash)
    .returning("former_key_expires_at")
    .executeTakeFirst();
  if (rotated !== undefined) return rotated.former_key_expires_at ?? undefined;
  const repeated = await rotating
    .set({ api_key_hash: keys.newHash })
    .where("former_key_hash", "=", keys.usedHash)
    .where("former_key_expires_at", ">", now)
    .returning("former_key_expires_at")
    .executeTakeFirst();
  return repeated?.former_key_expires_at ?? undefined;
}

/** The new key was used: the former one ends. False when another call was first, or there was nothing to end. */
export async function endRotation({ db }: Session, id: number, keyHash: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("scanners")
    .set({ former_key_expires_at: null, rotation_requested_at: null })
    .where("id", "=", id)
    .where("api_key_hash", "=", keyHash)
    .where("former_key_expires_at", "is not", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
