/** Whose turn it is: what is to be done once in a while, by one replica of however many. */

import type { Session } from "./store.ts";

/** Takes the turn. False when it was taken less than `intervalMs` ago: of callers at the same time one gets true. */
export async function takeTurn({ db, dialect }: Session, name: string, intervalMs: number): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto("turns")
    .values({ name, taken_at: dialect.nowMs() })
    .onConflict((conflict) =>
      conflict
        .column("name")
        .doUpdateSet({ taken_at: dialect.nowMs() })
        .where((eb) => eb(eb.parens("turns.taken_at", "+", intervalMs), "<=", dialect.nowMs())),
    )
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}
