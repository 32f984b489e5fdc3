/** A digest of everything a database of SQLite holds, to show that a call stored nothing. */

import { sql } from "kysely";
import type { Store } from "../store.ts";

/** What a call that is refused may change: who called last, what was wrong, and that it stands in the audit log. */
const MAY_CHANGE: Readonly<Record<string, readonly string[]>> = {
  scanners: ["last_error_at", "last_error_code", "last_error_address", "mismatch_count"],
  operator_tokens: ["last_used_at"],
};
/** Refusals stand in the audit log, and the key that signs tokens is made at the first look at one. */
const LEFT_OUT = new Set(["audit", "signing_keys", "sqlite_sequence"]);

/** One line for each table: its name and the hash of its rows. */
export async function digestTables(store: Store): Promise<string> {
  return store.run(async ({ db }) => {
    const tables = await sql<{
      name: string;
    }>`select name from sqlite_master where type = 'table' order by name`.execute(db);
    const lines = [];
    for (const { name } of tables.rows) {
      if (LEFT_OUT.has(name)) continue;
      const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(name)}`.execute(db);
      const mayChange = MAY_CHANGE[name] ?? [];
      const replacer = (key: string, value: unknown) => (mayChange.includes(key) ? null : value);
      lines.push(`${name} ${Bun.hash(JSON.stringify(rows, replacer))}`);
    }
    return lines.join("\n");
  });
}
