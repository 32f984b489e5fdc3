/** Queries on results: one row for each endpoint of a scan. Writing is in `result-merge.ts`. */

import { type Selectable, sql } from "kysely";
import type { EndpointKey, PortKey, ProtocolCode, StateCode } from "./endpoint-key.ts";
import { hex, STATE_CODES } from "./endpoint-key.ts";
import { inWindow, isAfter, type PortWindow } from "./key-window.ts";
import type { Session } from "./store.ts";
import type { ResultsTable } from "./tables.ts";

export type ResultRow = Selectable<ResultsTable>;

/** Which results: `at` is when the scan was made, and tells PostgreSQL in which partition they are. */
export interface ResultsOf {
  readonly scanId: number;
  readonly at: number;
}

export interface ResultFilter {
  readonly state?: StateCode | undefined;
  readonly protocol?: ProtocolCode | undefined;
  readonly address?: Uint8Array | undefined;
  readonly port?: number | undefined;
  readonly scannerId?: number | undefined;
}

function selectResults({ db }: Session, { scanId, at }: ResultsOf) {
  return db.selectFrom("results").where("scan_id", "=", scanId).where("at", "=", at);
}

/** Results in the order of their keys, those after this one. */
export async function listResults(
  session: Session,
  of: ResultsOf,
  after: EndpointKey | undefined,
  limit: number,
): Promise<ResultRow[]> {
  let query = selectResults(session, of)
    .selectAll()
    .orderBy("vantage_id")
    .orderBy("address")
    .orderBy("protocol")
    .orderBy("port")
    .limit(limit);
  if (after !== undefined) query = query.where(isAfter(after));
  return query.execute();
}

/** What one vantage point saw and the filter lets through, by address, protocol and port. */
export async function searchResults(
  session: Session,
  of: ResultsOf,
  vantageId: number,
  filter: ResultFilter,
  window: PortWindow,
  limit: number,
): Promise<ResultRow[]> {
  let query = selectResults(session, of)
    .selectAll()
    .where("vantage_id", "=", vantageId)
    .where(inWindow(window))
    .orderBy("address")
    .orderBy("protocol")
    .orderBy("port")
    .limit(limit);
  if (filter.address !== undefined) query = query.where("address", "=", filter.address);
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  if (filter.protocol !== undefined) query = query.where("protocol", "=", filter.protocol);
  if (filter.port !== undefined) query = query.where("port", "=", filter.port);
  if (filter.scannerId !== undefined) query = query.where("scanner_id", "=", filter.scannerId);
  return query.execute();
}

/** The port of the row that lies `rows` rows after this one; undefined where there are fewer. */
export async function resultAfter(
  session: Session,
  of: ResultsOf,
  vantageId: number,
  after: PortKey | undefined,
  rows: number,
): Promise<PortKey | undefined> {
  return selectResults(session, of)
    .select(["address", "protocol", "port"])
    .where("vantage_id", "=", vantageId)
    .where(inWindow({ after }))
    .orderBy("address")
    .orderBy("protocol")
    .orderBy("port")
    .offset(rows - 1)
    .limit(1)
    .executeTakeFirst();
}

/** What of a result two scans are compared by. */
export type ComparedResult = Pick<
  ResultRow,
  "address" | "protocol" | "port" | "state" | "service" | "product" | "version" | "last_seen"
>;

/** Where to look: after a port, or at addresses; all that are given hold. */
export interface ResultPlace {
  readonly after?: PortKey | undefined;
  readonly firstAddress?: Uint8Array | undefined;
  readonly afterAddress?: Uint8Array | undefined;
  readonly lastAddress?: Uint8Array | undefined;
}

/** What one vantage point saw at this place, by address, protocol and port. */
export async function listComparedResults(
  session: Session,
  of: ResultsOf,
  vantageId: number,
  { after, firstAddress, afterAddress, lastAddress }: ResultPlace,
  limit: number,
): Promise<ComparedResult[]> {
  let query = selectResults(session, of)
    .select(["address", "protocol", "port", "state", "service", "product", "version", "last_seen"])
    .where("vantage_id", "=", vantageId)
    .orderBy("address")
    .orderBy("protocol")
    .orderBy("port")
    .limit(limit);
  if (after !== undefined) {
    const { address, protocol, port } = after;
    query = query.where(sql<boolean>`(address, protocol, port) > (${sql.join([address, protocol, port])})`);
  }
  if (firstAddress !== undefined) query = query.where("address", ">=", firstAddress);
  if (afterAddress !== undefined) query = query.where("address", ">", afterAddress);
  if (lastAddress !== undefined) query = query.where("address", "<=", lastAddress);
  return query.execute();
}

/** Addresses in one query. */
const ADDRESSES_AT_ONCE = 500;
/** Ports that such a query names. */
const PORTS_AT_ONCE = 1_000;

/** The states of these ports, as one vantage point saw them; those that it did not report are absent. */
export async function listStates(
  session: Session,
  of: ResultsOf,
  vantageId: number,
  ports: readonly PortKey[],
): Promise<(PortKey & { readonly state: StateCode })[]> {
  const found: (PortKey & { readonly state: StateCode })[] = [];
  const wanted = [...Map.groupBy(ports, ({ address }) => hex(address)).values()];
  for (let start = 0; start < wanted.length; start += ADDRESSES_AT_ONCE) {
    const part = wanted.slice(start, start + ADDRESSES_AT_ONCE);
    const numbers = [...new Set(part.flat().map(({ port }) => port))];
    let query = selectResults(session, of)
      .select(["address", "protocol", "port", "state"])
      .where("vantage_id", "=", vantageId)
      .where(
        "address",
        "in",
        part.flatMap(([first]) => (first === undefined ? [] : [first.address])),
      );
    // With more of them it is quicker to look at all.
    if (numbers.length <= PORTS_AT_ONCE) query = query.where("port", "in", numbers);
    found.push(...(await query.execute()));
  }
  return found;
}

/** True when an open port was found among these addresses, both ends included. */
export async function hasOpenResult(
  session: Session,
  of: ResultsOf,
  vantageId: number,
  first: Uint8Array,
  last: Uint8Array,
): Promise<boolean> {
  const row = await selectResults(session, of)
    .select("port")
    .where("vantage_id", "=", vantageId)
    .where("address", ">=", first)
    .where("address", "<=", last)
    .where("state", "=", STATE_CODES.open)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export async function countOpenResults(session: Session, of: ResultsOf): Promise<number> {
  const { count } = await selectResults(session, of)
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("state", "=", STATE_CODES.open)
    .executeTakeFirstOrThrow();
  return count;
}

/** Result rows by scan, as they were counted when they came; a scan without jobs is absent. */
export async function countResults(
  { db, dialect }: Session,
  scanIds: readonly number[],
): Promise<Map<number, number>> {
  if (scanIds.length === 0) return new Map();
  const integer = sql.raw(dialect.columnTypes.integer);
  const rows = await db
    .selectFrom("jobs")
    .select(["scan_id", sql<number>`cast(sum(stored_results) as ${integer})`.as("count")])
    .where("scan_id", "in", scanIds)
    .groupBy("scan_id")
    .execute();
  return new Map(rows.map(({ scan_id, count }) => [scan_id, count]));
}
