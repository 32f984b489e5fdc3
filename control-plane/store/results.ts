/**
 * Queries on results: one row for each endpoint a scanner saw in a scan, merged from every observation of it.
 *
 * The merge gives the same row in whatever order observations arrive and however often: the latest observation decides
 * state and reason (of equal times, the more open one), and of two texts the longer stays, since it tells more.
 */

import { type Insertable, type RawBuilder, type Selectable, sql } from "kysely";
import type { TransportProtocol } from "#shared/protocol/fields.ts";
import type { PortState } from "#shared/protocol/port-state.ts";
import type { Session } from "./store.ts";
import type { ResultsTable } from "./tables.ts";

export type ResultRow = Selectable<ResultsTable>;
export type NewResult = Omit<Insertable<ResultsTable>, "id">;

/** Rows in one statement: 17 columns each, below the 32,766 parameters of SQLite. */
const ROWS_PER_STATEMENT = 1_000;

/** Merges observations into the stored rows. */
export async function mergeResults({ db }: Session, observations: readonly NewResult[]): Promise<void> {
  for (const rows of statements(observations)) {
    await db
      .insertInto("results")
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(["scan_id", "scanner_id", "address", "protocol", "port"]).doUpdateSet({
          state: ifNewer("state"),
          reason: ifNewer("reason"),
          ttl: larger("ttl"),
          service: longer("service"),
          product: longer("product"),
          version: longer("version"),
          cpe: longer("cpe"),
          banner: longer("banner"),
          mac_address: longer("mac_address"),
          mac_vendor: longer("mac_vendor"),
          first_seen: sql<number>`case when excluded.first_seen < results.first_seen then excluded.first_seen else results.first_seen end`,
          last_seen: sql<number>`case when excluded.last_seen > results.last_seen then excluded.last_seen else results.last_seen end`,
        }),
      )
      .execute();
  }
}

/** Statements that never name an endpoint twice: PostgreSQL refuses to update a row twice in one. */
function* statements(observations: readonly NewResult[]): Generator<NewResult[]> {
  let waiting = observations;
  while (waiting.length > 0) {
    const seen = new Set<string>();
    const rows: NewResult[] = [];
    const repeated: NewResult[] = [];
    for (const row of waiting) {
      const endpoint = `${row.address} ${row.protocol} ${row.port} ${row.scanner_id} ${row.scan_id}`;
      if (seen.has(endpoint)) repeated.push(row);
      else rows.push(row);
      seen.add(endpoint);
    }
    for (let i = 0; i < rows.length; i += ROWS_PER_STATEMENT) yield rows.slice(i, i + ROWS_PER_STATEMENT);
    waiting = repeated;
  }
}

const RANK = (table: "excluded" | "results"): RawBuilder<number> =>
  sql<number>`case ${sql.ref(`${table}.state`)} when 'open' then 3 when 'closed' then 2 else 1 end`;

function ifNewer<C extends "state" | "reason">(column: C): RawBuilder<ResultRow[C]> {
  return sql`case
    when (excluded.last_seen, ${RANK("excluded")}, excluded.reason) > (results.last_seen, ${RANK("results")}, results.reason)
    then ${sql.ref(`excluded.${column}`)} else ${sql.ref(`results.${column}`)} end`;
}

type TextColumn = "service" | "product" | "version" | "cpe" | "banner" | "mac_address" | "mac_vendor";

function longer(column: TextColumn): RawBuilder<string | null> {
  const stored = sql.ref(`results.${column}`);
  const arrived = sql.ref(`excluded.${column}`);
  return sql`case
    when ${stored} is null then ${arrived}
    when ${arrived} is null then ${stored}
    when length(${arrived}) > length(${stored}) then ${arrived}
    when length(${arrived}) = length(${stored}) and ${arrived} > ${stored} then ${arrived}
    else ${stored} end`;
}

function larger(column: "ttl"): RawBuilder<number | null> {
  const stored = sql.ref(`results.${column}`);
  const arrived = sql.ref(`excluded.${column}`);
  return sql`case
    when ${stored} is null or ${arrived} > ${stored} then ${arrived}
    else ${stored} end`;
}

export interface ResultFilter {
  readonly state?: PortState | undefined;
  readonly protocol?: TransportProtocol | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly scannerId?: number | undefined;
}

/** Results of a scan by id, those after the cursor. */
export async function listResults(
  { db }: Session,
  scanId: number,
  filter: ResultFilter,
  page: { readonly limit: number; readonly after: number },
): Promise<ResultRow[]> {
  let query = db
    .selectFrom("results")
    .selectAll()
    .where("scan_id", "=", scanId)
    .where("id", ">", page.after)
    .orderBy("id")
    .limit(page.limit);
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  if (filter.protocol !== undefined) query = query.where("protocol", "=", filter.protocol);
  if (filter.address !== undefined) query = query.where("address", "=", filter.address);
  if (filter.port !== undefined) query = query.where("port", "=", filter.port);
  if (filter.scannerId !== undefined) query = query.where("scanner_id", "=", filter.scannerId);
  return query.execute();
}

/** Result rows by scan; a scan without any is absent. */
export async function countResults(
  { db }: Session,
  scanIds: readonly number[],
): Promise<Map<number, number>> {
  if (scanIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("results")
    .select((eb) => ["scan_id", eb.fn.countAll<number>().as("count")])
    .where("scan_id", "in", scanIds)
    .groupBy("scan_id")
    .execute();
  return new Map(rows.map(({ scan_id, count }) => [scan_id, count]));
}
