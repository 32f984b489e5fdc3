/**
 * Inserts many rows in one go: SQLite runs one prepared statement a row, PostgreSQL takes a list for each column. Both
 * are several times faster than statements with a parameter for each value.
 */

import { CompiledQuery } from "kysely";
import { hex } from "./endpoint-key.ts";
import type { Session } from "./store.ts";

export type BulkValue = number | string | Uint8Array | null;

/** Column names and PostgreSQL's types of what is inserted. */
export type BulkColumns = Readonly<Record<string, "bigint" | "smallint" | "integer" | "bytea" | "text">>;

export interface BulkInsert {
  readonly table: string;
  readonly columns: BulkColumns;
  /** What is done about rows that are there already: `on conflict …`. */
  readonly onConflict: string;
}

/**
 * @param rows values in the order of the columns
 * @returns rows that were inserted, or updated by `onConflict`
 */
export async function insertBulk(
  { db, dialect }: Session,
  insert: BulkInsert,
  rows: readonly (readonly BulkValue[])[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const names = Object.keys(insert.columns);
  const types = Object.values(insert.columns);
  const into = `insert into ${insert.table} (${names.join(", ")})`;
  const query =
    dialect.kind === "sqlite"
      ? CompiledQuery.raw(`${into} values (${names.map(() => "?").join(", ")}) ${insert.onConflict}`, [
          ...rows,
        ])
      : CompiledQuery.raw(
          `${into} select * from unnest(${types.map((type, i) => `$${i + 1}::${type}[]`).join(", ")}) ${insert.onConflict}`,
          types.map((_, column) => arrayText(rows, column)),
        );
  const { numAffectedRows } = await db.executeQuery(query);
  return Number(numAffectedRows ?? 0n);
}

/** One column as PostgreSQL writes a list: `{1,NULL,"\\x0a000001"}`. */
function arrayText(rows: readonly (readonly BulkValue[])[], column: number): string {
  return `{${rows.map((row) => elementText(row[column] ?? null)).join(",")}}`;
}

function elementText(value: BulkValue): string {
  if (value === null) return "NULL";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
  return `"\\\\x${hex(value)}"`;
}
