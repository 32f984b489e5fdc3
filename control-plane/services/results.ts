/** Results of a scan, in pages: `search-page.ts` says how those under a filter are found. */

import type { z } from "zod";
import type { Clock } from "#shared/clock.ts";
import type { resultListSchema, resultsQuerySchema } from "#shared/protocol/operator.ts";
import { bytesOf, hex, parseKey, PROTOCOL_CODES, STATE_CODES } from "../store/endpoint-key.ts";
import {
  resultAfter,
  listResults,
  type ResultFilter,
  type ResultRow,
  type ResultsOf,
  searchResults,
} from "../store/results.ts";
import { findScan, type ScanRow } from "../store/scans.ts";
import type { Session, Store } from "../store/store.ts";
import { listSuspiciousHosts } from "../store/suspicious-hosts.ts";
import { listVantagesOfScan, scannerVantage, type VantageRow } from "../store/vantages.ts";
import { refusal } from "./refusal.ts";
import { resultView } from "./result-view.ts";
import { fullPage, type SearchedRows, searchPage } from "./search-page.ts";

export type ResultsQuery = z.output<typeof resultsQuerySchema>;
type ResultList = z.input<typeof resultListSchema>;

export class Results {
  private readonly store: Store;
  private readonly clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.store = store;
    this.clock = clock;
  }

  /** @throws PortolanError NOT_FOUND */
  async list(scanId: number, { limit, cursor, ...query }: ResultsQuery): Promise<ResultList> {
    return this.store.run(async (session) => {
      const of = resultsOf(await requireScan(session, scanId));
      const vantages = await listVantagesOfScan(session, scanId);
      const after = cursor === undefined ? undefined : parseKey(cursor);
      const filter = filterOf(query);
      const page =
        filter === undefined
          ? fullPage(await listResults(session, of, after, limit + 1), limit)
          : await searchPage(
              this.clock,
              limit,
              after,
              vantages.filter((vantage) => mayHold(vantage, filter)).map(({ id }) => id),
              searchIn(session, of, filter),
            );
      return {
        results: await viewResults(session, scanId, page.rows, vantages),
        nextCursor: page.nextCursor,
      };
    });
  }
}

function searchIn(session: Session, of: ResultsOf, filter: ResultFilter): SearchedRows<ResultRow> {
  return {
    list: (vantageId, window, limit) => searchResults(session, of, vantageId, filter, window, limit),
    portAfter: async (vantageId, after, rows) =>
      // All rows of one address lie together: those are found without a search.
      filter.address === undefined ? resultAfter(session, of, vantageId, after, rows) : undefined,
  };
}

/** Undefined where every row fits. */
function filterOf(query: Omit<ResultsQuery, "limit" | "cursor">): ResultFilter | undefined {
  const { state, protocol, address, port, scannerId } = query;
  if ((state ?? protocol ?? address ?? port ?? scannerId) === undefined) return undefined;
  return {
    state: state === undefined ? undefined : STATE_CODES[state],
    protocol: protocol === undefined ? undefined : PROTOCOL_CODES[protocol],
    address: address === undefined ? undefined : bytesOf(address),
    port,
    scannerId,
  };
}

/** A scanner looks from a vantage point of its own, or from that of a pool. */
function mayHold({ key }: VantageRow, { scannerId }: ResultFilter): boolean {
  return scannerId === undefined || !key.startsWith("scanner:") || key === scannerVantage(scannerId);
}

/** @param vantages of the scan */
export async function viewResults(
  session: Session,
  scanId: number,
  rows: readonly ResultRow[],
  vantages: readonly VantageRow[],
): Promise<ResultList["results"]> {
  const addresses = new Map(rows.map(({ address }) => [hex(address), address]));
  const hosts = await listSuspiciousHosts(session, scanId, rows.length * vantages.length, [
    ...addresses.values(),
  ]);
  const suspicions = new Map(hosts.map((host) => [`${host.vantage_id} ${hex(host.address)}`, host.reason]));
  const keys = new Map(vantages.map(({ id, key }) => [id, key]));
  return rows.map((row) =>
    resultView(row, keys.get(row.vantage_id) ?? "", suspicions.get(`${row.vantage_id} ${hex(row.address)}`)),
  );
}

/** @throws PortolanError NOT_FOUND */
export async function requireScan(session: Session, id: number): Promise<ScanRow> {
  const scan = await findScan(session, id);
  if (scan === undefined) throw refusal("NOT_FOUND", `no scan ${id}`);
  return scan;
}

export function resultsOf(scan: Pick<ScanRow, "id" | "created_at">): ResultsOf {
  return { scanId: scan.id, at: scan.created_at };
}
