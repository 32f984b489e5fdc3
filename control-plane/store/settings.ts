/** Queries on settings: a name and a text each. What the names mean is not known here. */

import type { Session } from "./store.ts";

export async function readSettings({ db }: Session): Promise<Map<string, string>> {
  const rows = await db.selectFrom("settings").select(["name", "value"]).execute();
  return new Map(rows.map(({ name, value }) => [name, value]));
}

/** @param value null: the setting is removed */
export async function writeSetting(
  { db, dialect }: Session,
  name: string,
  value: string | null,
  actor: string,
): Promise<void> {
  if (value === null) {
    await db.deleteFrom("settings").where("name", "=", name).execute();
    return;
  }
  const row = { value, updated_by: actor, updated_at: dialect.nowMs() };
  await db
    .insertInto("settings")
    .values({ name, ...row })
    .onConflict((conflict) => conflict.column("name").doUpdateSet(row))
    .execute();
}
