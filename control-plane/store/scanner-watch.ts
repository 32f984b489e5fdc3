/** Queries that notice when scanners' heartbeats stop, and when they come again: each time once. */

import { sql, type SqlBool } from "kysely";
import { OFFLINE_AFTER_MS } from "#shared/protocol/limits.ts";
import type { Session } from "./store.ts";

export interface DownScanner {
  readonly id: number;
  readonly name: string;
  readonly last_heartbeat_at: number | null;
}

/** Marks scanners that have fallen silent. Returns those that were not marked before. */
export async function markSilentScanners({ db, dialect }: Session): Promise<DownScanner[]> {
  const now = dialect.nowMs();
  return db
    .updateTable("scanners")
    .set({ down_at: now })
    .where("down_at", "is", null)
    .where("deleted_at", "is", null)
    .where("disabled_at", "is", null)
    .where("registered_at", "is not", null)
    .where(sql<SqlBool>`coalesce(last_heartbeat_at, registered_at) <= ${now} - ${sql.lit(OFFLINE_AFTER_MS)}`)
    .returning(["id", "name", "last_heartbeat_at"])
    .execute();
}

/** False when it was not marked, or another call was first. */
export async function unmarkSilentScanner({ db }: Session, id: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("scanners")
    .set({ down_at: null })
    .where("id", "=", id)
    .where("down_at", "is not", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
