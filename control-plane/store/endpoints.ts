/** Queries on what is known of endpoints at present. */

import type { Selectable } from "kysely";
import { type BulkColumns, insertBulk } from "./bulk-insert.ts";
import { hex, type PortKey, type ProtocolCode, STATE_CODES, type StateCode } from "./endpoint-key.ts";
import { inWindow, type PortWindow } from "./key-window.ts";
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
  readonly address?: Uint8Array | undefined;
  readonly state?: StateCode | undefined;
  readonly protocol?: ProtocolCode | undefined;
  readonly port?: number | undefined;
}

/** Endpoints of a vantage point that the filter lets through, by address, protocol and port. */
export async function searchEndpoints(
  { db }: Session,
  vantageId: number,
  filter: EndpointFilter,
  window: PortWindow,
  limit: number,
): Promise<EndpointRow[]> {
  let query = db
    .selectFrom("endpoints")
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
  return query.execute();
}

/** The port of the endpoint that lies `rows` rows after this one; undefined where there are fewer. */
export async function endpointAfter(
  { db }: Session,
  vantageId: number,
  after: PortKey | undefined,
  rows: number,
): Promise<PortKey | undefined> {
  return db
    .selectFrom("endpoints")
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
    const rows = await db
      .selectFrom("endpoints")
      .select(["address", "protocol", "port"])
      .where("vantage_id", "=", vantageId)
      .where(inWindow({ after }))
      .where("address", ">=", span.first)
      .where("address", "<=", span.last)
      .where("state", "=", STATE_CODES.open)
      .orderBy("address")
      .orderBy("protocol")
      .orderBy("port")
      .limit(OPEN_AT_ONCE)
      .execute();
    if (rows.some(isMeant)) return true;
    after = rows.at(-1);
    if (rows.length < OPEN_AT_ONCE) return false;
  }
}
