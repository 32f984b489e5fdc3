/**
 * Writes results: one row for each endpoint a scan saw, merged from every observation of it.
 *
 * The merge gives the same row in whatever order observations arrive and however often: the latest observation decides
 * state and reason (of equal times, the more open one), and of two texts the longer stays, since it tells more.
 */

import { type BulkColumns, type BulkInsert, type BulkValue, insertBulk } from "./bulk-insert.ts";
import { hex, type PortKey, type StateCode } from "./endpoint-key.ts";
import type { ResultRow, ResultsOf } from "./results.ts";
import type { Session } from "./store.ts";

/** What most results do not have. */
export type ResultDetails = Pick<
  ResultRow,
  "service" | "product" | "version" | "cpe" | "banner" | "mac_address" | "mac_vendor"
>;

/** One look at one port. */
export interface Observation extends PortKey {
  readonly state: StateCode;
  readonly reason: string;
  readonly ttl: number | null;
  readonly details: ResultDetails | undefined;
  readonly seenAtMs: number;
}

/** Of whom the observations are. */
export interface Observer extends ResultsOf {
  readonly vantageId: number;
  readonly scannerId: number;
}

const PLAIN: BulkColumns = {
  at: "bigint",
  scan_id: "bigint",
  vantage_id: "bigint",
  scanner_id: "bigint",
  address: "bytea",
  protocol: "smallint",
  port: "integer",
  state: "smallint",
  reason: "text",
  ttl: "smallint",
  first_seen: "bigint",
  last_seen: "bigint",
};
const DETAILED: BulkColumns = {
  ...PLAIN,
  service: "text",
  product: "text",
  version: "text",
  cpe: "text",
  banner: "text",
  mac_address: "text",
  mac_vendor: "text",
};

/** Of equal times the later scanner's number stays: which one does not matter, that it is always the same one does. */
const IS_NEWER = `(excluded.last_seen, excluded.state, excluded.reason, excluded.scanner_id)
  > (results.last_seen, results.state, results.reason, results.scanner_id)`;
const newer = (column: string): string =>
  `${column} = case when ${IS_NEWER} then excluded.${column} else results.${column} end`;
const longer = (column: string): string => `${column} = case
  when results.${column} is null then excluded.${column}
  when excluded.${column} is null then results.${column}
  when length(excluded.${column}) > length(results.${column}) then excluded.${column}
  when length(excluded.${column}) = length(results.${column}) and excluded.${column} > results.${column}
  then excluded.${column} else results.${column} end`;

const MERGED = `on conflict (scan_id, vantage_id, address, protocol, port, at) do update set
  ${["state", "reason", "scanner_id"].map(newer).join(", ")},
  ttl = case when results.ttl is null or excluded.ttl > results.ttl then excluded.ttl else results.ttl end,
  first_seen = case when excluded.first_seen < results.first_seen then excluded.first_seen else results.first_seen end,
  last_seen = case when excluded.last_seen > results.last_seen then excluded.last_seen else results.last_seen end`;
const MERGED_DETAILS = ["service", "product", "version", "cpe", "banner", "mac_address", "mac_vendor"]
  .map(longer)
  .join(", ");

/**
 * Merges observations into the stored rows.
 * @returns rows that are new
 */
export async function mergeResults(
  session: Session,
  observer: Observer,
  observations: readonly Observation[],
): Promise<number> {
  const { plain = [], detailed = [] } = Object.groupBy(observations, ({ details }) =>
    details === undefined ? "plain" : "detailed",
  );
  return (
    (await mergeRows(session, observer, plain, PLAIN, MERGED)) +
    (await mergeRows(session, observer, detailed, DETAILED, `${MERGED}, ${MERGED_DETAILS}`))
  );
}

/** Most endpoints are new: those go in without a look at what is there, which also tells how many they are. */
async function mergeRows(
  session: Session,
  observer: Observer,
  observations: readonly Observation[],
  columns: BulkColumns,
  onConflict: string,
): Promise<number> {
  const insert = (how: string): BulkInsert => ({ table: "results", columns, onConflict: how });
  const rows = observations.map((observation) => rowOf(observer, observation));
  const added = await insertBulk(session, insert("on conflict do nothing"), rows);
  if (added === observations.length) return added;
  // Merging a row with itself changes nothing, so it does not matter which of them were new.
  for (const distinct of withoutRepeats(observations)) {
    await insertBulk(
      session,
      insert(onConflict),
      distinct.map((observation) => rowOf(observer, observation)),
    );
  }
  return added;
}

function rowOf({ at, scanId, vantageId, scannerId }: Observer, observation: Observation): BulkValue[] {
  const { address, protocol, port, state, reason, ttl, seenAtMs, details } = observation;
  const row = [
    at,
    scanId,
    vantageId,
    scannerId,
    address,
    protocol,
    port,
    state,
    reason,
    ttl,
    seenAtMs,
    seenAtMs,
  ];
  if (details === undefined) return row;
  const { service, product, version, cpe, banner, mac_address, mac_vendor } = details;
  return [...row, service, product, version, cpe, banner, mac_address, mac_vendor];
}

/** Parts that never name an endpoint twice: PostgreSQL refuses to update a row twice in one statement. */
function* withoutRepeats(observations: readonly Observation[]): Generator<Observation[]> {
  let waiting = observations;
  while (waiting.length > 0) {
    const seen = new Set<string>();
    const part: Observation[] = [];
    const repeated: Observation[] = [];
    for (const observation of waiting) {
      const endpoint = `${hex(observation.address)} ${observation.protocol} ${observation.port}`;
      (seen.has(endpoint) ? repeated : part).push(observation);
      seen.add(endpoint);
    }
    yield part;
    waiting = repeated;
  }
}
