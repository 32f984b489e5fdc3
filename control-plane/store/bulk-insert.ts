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
  const query = dialect.kind === "sqlite" ? rowByRow(insert, rows) : columnByColumn(insert, rows);
  const { numAffectedRows } = await db.executeQuery(query);
  return Number(numAffectedRows ?? 0n);
}

function into({ table, columns }: BulkInsert): string {
  return `insert into ${table} (${Object.keys(columns).join(", ")})`;
}

function rowByRow(insert: BulkInsert, rows: readonly (readonly BulkValue[])[]): CompiledQuery {
  const values = Object.keys(insert.columns).map(() => "?");
  // One parameter, the rows: Kysely freezes the list of parameters, and a frozen list of thousands is slow.
  return CompiledQuery.raw(`${into(insert)} values (${values.join(", ")}) ${insert.onConflict}`, [rows]);
}

/** A column with one value in all rows is sent once. */
function columnByColumn(insert: BulkInsert, rows: readonly (readonly BulkValue[])[]): CompiledQuery {
  const selected: string[] = [];
  const lists: string[] = [];
  const names: string[] = [];
  const parameters = Object.entries(insert.columns).map(([name, type], column) => {
    const value = rows[0]?.[column] ?? null;
    const isSame = typeof value === "number" && rows.every((row) => row[column] === value);
    selected.push(isSame ? `$${column + 1}::${type}` : name);
    if (isSame) return value;
    names.push(name);
    lists.push(`$${column + 1}::${type}[]`);
    return arrayText(rows, column);
  });
  // Where every column is the same, there is still a row for each.
  const from =
    lists.length === 0
      ? `generate_series(1, ${rows.length})`
      : `unnest(${lists.join(", ")}) as many (${names.join(", ")})`;
  return CompiledQuery.raw(
    `${into(insert)} select ${selected.join(", ")} from ${from} ${insert.onConflict}`,
    parameters,
  );
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
