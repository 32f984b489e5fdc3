/** Changes and the present state of endpoints, as operators ask for them. */

import { formatAddressBytes } from "#shared/net/address-bytes.ts";
import type { Clock } from "#shared/clock.ts";
import type { z } from "zod";
import type {
  changeListSchema,
  ChangesQuery,
  changeViewSchema,
  scanChangeListSchema,
  suspicionSchema,
} from "#shared/protocol/changes.ts";
import type { EndpointsQuery, EndpointView, endpointListSchema } from "#shared/protocol/endpoints.ts";
import { type ChangeFilter, type ChangePosition, type ChangeRow, listChanges } from "../store/changes.ts";
import { countPendingComparisons, listSuspiciousJobs } from "../store/ended-jobs.ts";
import {
  bytesOf,
  formatKey,
  parseKey,
  PROTOCOL_CODES,
  protocolOf,
  STATE_CODES,
  stateOf,
} from "../store/endpoint-key.ts";
import { endpointAfter, type EndpointFilter, type EndpointRow, searchEndpoints } from "../store/endpoints.ts";
import type { Session, Store } from "../store/store.ts";
import { listSuspiciousHosts } from "../store/suspicious-hosts.ts";
import { findVantageId, findVantageKeys, listVantages } from "../store/vantages.ts";
import { requireScan } from "./results.ts";
import { searchPage } from "./search-page.ts";
import { isoTime } from "./time.ts";

const MAX_SUSPICIONS = 1_000;

type Suspicion = z.input<typeof suspicionSchema>;

export class ChangeList {
  private readonly store: Store;
  private readonly clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.store = store;
    this.clock = clock;
  }

  /** Newest first. */
  async list(query: ChangesQuery): Promise<z.input<typeof changeListSchema>> {
    return this.store.run((session) => pageOfChanges(session, query, undefined));
  }

  /** Those of one scan. @throws PortolanError NOT_FOUND */
  async ofScan(scanId: number, query: ChangesQuery): Promise<z.input<typeof scanChangeListSchema>> {
    return this.store.run(async (session) => {
      await requireScan(session, scanId);
      return {
        ...(await pageOfChanges(session, query, scanId)),
        pendingJobs: await countPendingComparisons(session, scanId),
        suspicious: await suspicionsOf(session, scanId),
      };
    });
  }

  /** What is known at present. */
  async endpoints(query: EndpointsQuery): Promise<z.input<typeof endpointListSchema>> {
    return this.store.run(async (session) => {
      const filter = endpointFilter(query);
      const start = query.cursor === undefined ? undefined : parseKey(query.cursor);
      const all = await listVantages(session, start?.vantage_id ?? 0);
      const vantages = all.filter(({ key }) => query.vantage === undefined || key === query.vantage);
      const ids = vantages.map(({ id }) => id);
      const page = await searchPage(this.clock, query.limit, start, ids, {
        list: (vantageId, window, limit) => searchEndpoints(session, vantageId, filter, window, limit),
        portAfter: (vantageId, after, rows) => endpointAfter(session, vantageId, after, rows),
      });
      const keys = new Map(vantages.map(({ id, key }) => [id, key]));
      const endpoints = page.rows.map((row) => endpointView(row, keys.get(row.vantage_id) ?? ""));
      return { endpoints, nextCursor: page.nextCursor };
    });
  }
}

async function pageOfChanges(
  session: Session,
  { limit, cursor, vantage, address, kind, since }: ChangesQuery,
  scanId: number | undefined,
): Promise<z.input<typeof changeListSchema>> {
  const vantageId = vantage === undefined ? undefined : await findVantageId(session, vantage);
  if (vantage !== undefined && vantageId === undefined) return { changes: [], nextCursor: null };
  const filter: ChangeFilter = {
    scanId,
    vantageId,
    address: address === undefined ? undefined : bytesOf(address),
    kind,
    sinceMs: since === undefined ? undefined : Date.parse(since),
  };
  const rows = await listChanges(session, filter, positionOf(cursor), limit + 1);
  const page = rows.slice(0, limit);
  const vantages = await findVantageKeys(
    session,
    page.map(({ vantage_id }) => vantage_id),
  );
  const last = page.at(-1);
  return {
    changes: page.map((row) => changeView(row, vantages.get(row.vantage_id) ?? "")),
    nextCursor: rows.length > limit && last !== undefined ? `${last.at}.${last.id}` : null,
  };
}

function positionOf(cursor: string | undefined): ChangePosition | undefined {
  if (cursor === undefined) return undefined;
  const [at = "", id = ""] = cursor.split(".");
  return { at: Number(at), id: Number(id) };
}

function changeView(row: ChangeRow, vantage: string): z.input<typeof changeViewSchema> {
  return {
    id: row.id,
    at: isoTime(row.at),
    scanId: row.scan_id,
    jobId: row.job_id,
    vantage,
    address: formatAddressBytes(row.address),
    protocol: row.protocol === null ? null : protocolOf(row.protocol),
    port: row.port,
    kind: row.kind,
    from: row.before,
    to: row.after,
  };
}

async function suspicionsOf(session: Session, scanId: number): Promise<Suspicion[]> {
  const jobs = await listSuspiciousJobs(session, scanId, MAX_SUSPICIONS);
  const hosts = await listSuspiciousHosts(session, scanId, MAX_SUSPICIONS - jobs.length);
  const vantages = await findVantageKeys(
    session,
    [...jobs, ...hosts].map(({ vantage_id }) => vantage_id),
  );
  const vantageOf = ({ vantage_id }: { readonly vantage_id: number }): string =>
    vantages.get(vantage_id) ?? "";
  return [
    ...jobs.map((job): Suspicion => ({
      reason: job.suspicious,
      vantage: vantageOf(job),
      jobId: job.id,
      address: null,
    })),
    ...hosts.map((host): Suspicion => ({
      reason: host.reason,
      vantage: vantageOf(host),
      jobId: null,
      address: formatAddressBytes(host.address),
    })),
  ];
}

function endpointFilter({ address, state, protocol, port }: EndpointsQuery): EndpointFilter {
  return {
    address: address === undefined ? undefined : bytesOf(address),
    state: state === undefined ? undefined : STATE_CODES[state],
    protocol: protocol === undefined ? undefined : PROTOCOL_CODES[protocol],
    port,
  };
}

function endpointView(row: EndpointRow, vantage: string): EndpointView {
  return {
    id: formatKey(row),
    vantage,
    address: formatAddressBytes(row.address),
    protocol: protocolOf(row.protocol),
    port: row.port,
    state: stateOf(row.state),
    since: isoTime(row.since),
    firstSeen: isoTime(row.first_seen),
    lastSeen: isoTime(row.last_seen),
    scanId: row.scan_id,
    service: row.service ?? undefined,
    product: row.product ?? undefined,
    version: row.version ?? undefined,
  };
}
