/** Queries that are the same for every table of the catalogue. Deleted rows are found by nobody. */

import { type RawBuilder, sql } from "kysely";
import type { Session } from "./store.ts";

export const CATALOGUE_TABLES = [
  "subnets",
  "port_lists",
  "scanner_groups",
  "discovery_lists",
  "scan_templates",
] as const;
export type CatalogueTableName = (typeof CATALOGUE_TABLES)[number];

/** What may be referred to. */
export type ReferredTable = CatalogueTableName | "scanners";

export interface ListPage {
  /** Rows to read. */
  readonly limit: number;
  /** Those with a greater id. */
  readonly after: number | undefined;
  /** Part of the name, in any case of letters. */
  readonly q: string | undefined;
}

export async function countRows({ db }: Session, table: CatalogueTableName): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from ${sql.table(table)} where deleted_at is null`.execute(db);
  return rows[0]?.count ?? 0;
}

/** The row of this name. */
export async function findIdByName(
  { db }: Session,
  table: ReferredTable,
  name: string,
): Promise<number | undefined> {
  const { rows } = await sql<{ id: number }>`
    select id from ${sql.table(table)} where name = ${name} and deleted_at is null`.execute(db);
  return rows[0]?.id;
}

export async function listNames({ db }: Session, table: CatalogueTableName): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select name from ${sql.table(table)} where deleted_at is null`.execute(db);
  return rows.map(({ name }) => name);
}

/** Ids in one statement, below the 32,766 parameters of SQLite. */
const IDS_PER_STATEMENT = 20_000;

/** Those of the ids that there are. */
export async function findIds(
  { db }: Session,
  table: ReferredTable,
  ids: readonly number[],
): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  for (let i = 0; i < ids.length; i += IDS_PER_STATEMENT) {
    const { rows } = await sql<{ id: number }>`
      select id from ${sql.table(table)}
      where id in (${sql.join(ids.slice(i, i + IDS_PER_STATEMENT))}) and deleted_at is null`.execute(db);
    for (const { id } of rows) found.add(id);
  }
  return found;
}

export async function markCatalogueRowDeleted(
  { db, dialect }: Session,
  table: CatalogueTableName,
  id: number,
): Promise<void> {
  await sql`update ${sql.table(table)} set deleted_at = ${dialect.nowMs()} where id = ${id}`.execute(db);
}

/** The condition of `ListPage.q`; what LIKE has a meaning for stands for itself. */
export function nameContains(q: string, column = "name"): RawBuilder<boolean> {
  const pattern = `%${q.replaceAll(/[\\%_]/g, (sign) => `\\${sign}`)}%`;
  return sql<boolean>`lower(${sql.ref(column)}) like lower(${pattern}) escape '\\'`;
}
