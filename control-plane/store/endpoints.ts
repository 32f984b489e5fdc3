/** Queries on what is known of endpoints at present. */

import { type Selectable, sql } from "kysely";
import { type BulkColumns, insertBulk } from "./bulk-insert.ts";
import {
  type EndpointKey,
  hex,
  type PortKey,
  type ProtocolCode,
  STATE_CODES,
  type StateCode,
} from "./endpoint-key.ts";
import type { Session } from "./store.ts";
import type { EndpointsTable } from "./tables.ts";

export type EndpointRow = Selectable<EndpointsTable>;

const COLUMNS: BulkColumns = {
  vantage_id: "bigint",
  address: "bytea",
  protocol: "smallint",
  port: "integer",
  state: "smallint",
  since: "bigint",
  first_seen: "bigint",
  last_seen: "bigint",
  scan_id: "bigint",
  service: "text",
  product: "text",
  version: "text",
};
const REPLACED = ["state", "since", "first_seen", "last_seen", "scan_id", "service", "product", "version"]
  .map((column) => `${column} = excluded.${column}`)
  .join(", ");

/** Writes rows, each in place of the one with its key. No key may be there twice. */
export async function writeEndpoints(session: Session, rows: readonly EndpointRow[]): Promise<void> {
  await insertBulk(
    session,
    {
      table: "endpoints",
      columns: COLUMNS,
      onConflict: `on conflict (vantage_id, address, protocol, port) do update set ${REPLACED}`,
    },
    rows.map((row) => [
      row.vantage_id,
      row.address,
      row.protocol,
      row.port,
      row.state,
      row.since,
      row.first_seen,
      row.last_seen,
      row.scan_id,
      row.service,
      row.product,
      row.version,
    ]),
  );
}

/** Which addresses; all that is given holds. */
export interface AddressPlace {
  readonly firstAddress?: Uint8Array | undefined;
  readonly afterAddress?: Uint8Array | undefined;
  readonly lastAddress: Uint8Array;
}

/** Endpoints of a vantage point with these addresses, in their order. */
export async function listEndpointsBetween(
  { db }: Session,
  vantageId: number,
  { firstAddress, afterAddress, lastAddress }: AddressPlace,
  limit: number,
): Promise<EndpointRow[]> {
  let query = db
    .selectFrom("endpoints")
    .selectAll()
    .where("vantage_id", "=", vantageId)
    .where("address", "<=", lastAddress)
    .orderBy("address")
    .orderBy("protocol")
    .orderBy("port")
    .limit(limit);
  if (firstAddress !== undefined) query = query.where("address", ">=", firstAddress);
  if (afterAddress !== undefined) query = query.where("address", ">", afterAddress);
  return query.execute();
}

/** How many open endpoints these addresses have, by the hexadecimal digits of the address; absent where none. */
export async function countOpenEndpoints(
  { db }: Session,
  vantageId: number,
  addresses: readonly Uint8Array[],
): Promise<Map<string, number>> {
  if (addresses.length === 0) return new Map();
  const rows = await db
    .selectFrom("endpoints")
    .select((eb) => ["address", eb.fn.countAll<number>().as("count")])
    .where("vantage_id", "=", vantageId)
    .where("address", "in", addresses)
    .where("state", "=", STATE_CODES.open)
    .groupBy("address")
    .execute();
  return new Map(rows.map(({ address, count }) => [hex(address), count]));
}

export interface EndpointFilter {
  readonly vantageId?: number | undefined;
  readonly address?: Uint8Array | undefined;
  readonly state?: StateCode | undefined;
  readonly protocol?: ProtocolCode | undefined;
  readonly port?: number | undefined;
}

/** Endpoints in the order of their keys, after the one and up to the other. */
export async function listEndpoints(
  { db }: Session,
  filter: EndpointFilter,
  window: { readonly after?: EndpointKey | undefined; readonly upTo?: EndpointKey | undefined },
  limit: number,
): Promise<EndpointRow[]> {
  let query = db
    .selectFrom("endpoints")
    .selectAll()
    .orderBy("vantage_id")
    .orderBy("address")
    .orderBy("protocol")
    .orderBy("port")
    .limit(limit);
  if (window.after !== undefined) query = query.where(compareKey(">", window.after));
  if (window.upTo !== undefined) query = query.where(compareKey("<=", window.upTo));
  if (filter.vantageId !== undefined) query = query.where("vantage_id", "=", filter.vantageId);
  if (filter.address !== undefined) query = query.where("address", "=", filter.address);
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  if (filter.protocol !== undefined) query = query.where("protocol", "=", filter.protocol);
  if (filter.port !== undefined) query = query.where("port", "=", filter.port);
  return query.execute();
}

/** The key of the endpoint, of any or of one vantage point, that lies `rows` rows after this one; undefined where there are fewer. */
export async function endpointAfter(
  { db }: Session,
  vantageId: number | undefined,
  after: EndpointKey | undefined,
  rows: number,
): Promise<EndpointKey | undefined> {
  let query = db
    .selectFrom("endpoints")
    .select(["vantage_id", "address", "protocol", "port"])
    .orderBy("vantage_id")
    .orderBy("address")
    .orderBy("protocol")
    .orderBy("port")
    .offset(rows - 1)
    .limit(1);
  if (after !== undefined) query = query.where(compareKey(">", after));
  if (vantageId !== undefined) query = query.where("vantage_id", "=", vantageId);
  return query.executeTakeFirst();
}

function compareKey(how: ">" | "<=", { vantage_id, address, protocol, port }: EndpointKey) {
  return sql<boolean>`(vantage_id, address, protocol, port) ${sql.raw(how)}
    (${sql.join([vantage_id, address, protocol, port])})`;
}

/** Open endpoints that are looked at in one query. */
const OPEN_AT_ONCE = 1_000;

/** True when one of the vantage point's open endpoints with an address between these is one of those meant. */
export async function hasOpenEndpoint(
  { db }: Session,
  vantageId: number,
  span: { readonly first: Uint8Array; readonly last: Uint8Array },
  isMeant: (port: PortKey) => boolean,
): Promise<boolean> {
  let after: PortKey | undefined;
  for (;;) {
    let query = db
      .selectFrom("endpoints")
      .select(["address", "protocol", "port"])
      .where("vantage_id", "=", vantageId)
      .where("address", ">=", after?.address ?? span.first)
      .where("address", "<=", span.last)
      .where("state", "=", STATE_CODES.open)
      .orderBy("address")
      .orderBy("protocol")
      .orderBy("port")
      .limit(OPEN_AT_ONCE);
    if (after !== undefined) {
      const { address, protocol, port } = after;
      query = query.where(sql<boolean>`(address, protocol, port) > (${sql.join([address, protocol, port])})`);
    }
    const rows = await query.execute();
    if (rows.some(isMeant)) return true;
    after = rows.at(-1);
    if (rows.length < OPEN_AT_ONCE) return false;
  }
}
