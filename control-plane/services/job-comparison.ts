/**
 * Compares the results of an ended job with what was known of its endpoints, some thousand at a time, whole addresses
 * together: what there was, what was seen, what that changes.
 */

import { compareBytes } from "#shared/net/address-bytes.ts";
import { hex } from "../store/endpoint-key.ts";
import { insertChanges, type NewChange } from "../store/changes.ts";
import {
  countOpenEndpoints,
  type EndpointRow,
  listEndpointsBetween,
  writeEndpoints,
} from "../store/endpoints.ts";
import { type ComparedResult, listComparedResults, type ResultsOf } from "../store/results.ts";
import { readClock, type Session } from "../store/store.ts";
import { markSuspiciousHost } from "../store/suspicious-hosts.ts";
import { type AddressOutcome, compareAddress, type Look } from "./address-changes.ts";
import type { JobScope } from "./job-scope.ts";
import { answersOnEveryPort } from "./suspicion.ts";

/** Rows of each kind in one part; one address may have more. */
const PART = 4_000;

export interface Comparison {
  readonly jobId: number;
  readonly look: Look;
  readonly scope: JobScope;
  readonly results: ResultsOf;
}

export interface ComparedPart {
  /** Compared up to and with this address; undefined when all of it is. */
  readonly upTo: Uint8Array | undefined;
  readonly changes: number;
}

/** Compares the next part. @param after the address that was compared last */
export async function comparePart(
  session: Session,
  comparison: Comparison,
  after: Uint8Array | undefined,
): Promise<ComparedPart> {
  const { look, scope, results } = comparison;
  const { first, last } = scope.span;
  const place =
    after === undefined
      ? { firstAddress: first, lastAddress: last }
      : { firstAddress: scope.skipAfter(after) ?? last, afterAddress: after, lastAddress: last };
  const seen = await wholeAddresses((limit) =>
    listComparedResults(session, results, look.vantageId, place, limit),
  );
  const known = await wholeAddresses((limit) => listEndpointsBetween(session, look.vantageId, place, limit));
  const upTo = earlier(seen.upTo, known.upTo);
  const outcome: AddressOutcome = { endpoints: [], changes: [] };
  for (const { address, endpoints, ports } of byAddress(known.rows, seen.rows, scope)) {
    if (upTo !== undefined && compareBytes(address, upTo) > 0) continue;
    if (answersOnEveryPort(ports, scope.countTcpPorts(address))) {
      const host = { scan_id: look.scanId, vantage_id: look.vantageId, address };
      await markSuspiciousHost(session, { ...host, reason: "answers-on-every-port" });
      continue;
    }
    const { endpoints: written, changes } = compareAddress(look, endpoints, ports);
    outcome.endpoints.push(...written);
    outcome.changes.push(...changes);
  }
  await writeEndpoints(session, outcome.endpoints);
  await writeChanges(session, comparison, outcome);
  return { upTo, changes: outcome.changes.length };
}

interface Part<Row> {
  readonly rows: readonly Row[];
  /** The last address that is there in full; undefined when these are the last rows. */
  readonly upTo: Uint8Array | undefined;
}

/** Rows up to where an address ends. One with more rows than a part is taken whole: it has 131,072 ports at most. */
async function wholeAddresses<Row extends { readonly address: Uint8Array }>(
  list: (limit: number) => Promise<Row[]>,
): Promise<Part<Row>> {
  for (let limit = PART; ; limit *= 2) {
    const rows = await list(limit);
    const lastRow = rows.at(-1);
    if (rows.length < limit || lastRow === undefined) return { rows, upTo: undefined };
    const end = rows.findIndex(({ address }) => compareBytes(address, lastRow.address) === 0);
    const upTo = rows[end - 1]?.address;
    if (upTo !== undefined) return { rows: rows.slice(0, end), upTo };
  }
}

function earlier(a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareBytes(a, b) < 0 ? a : b;
}

interface AddressRows {
  readonly address: Uint8Array;
  readonly endpoints: EndpointRow[];
  readonly ports: ComparedResult[];
}

/** What of both lies within the scope, address by address. */
function byAddress(
  known: readonly EndpointRow[],
  seen: readonly ComparedResult[],
  scope: JobScope,
): Iterable<AddressRows> {
  const groups = new Map<string, AddressRows>();
  const group = (address: Uint8Array): AddressRows => {
    const key = hex(address);
    const found = groups.get(key) ?? { address, endpoints: [], ports: [] };
    groups.set(key, found);
    return found;
  };
  for (const row of known) if (scope.holds(row)) group(row.address).endpoints.push(row);
  for (const row of seen) if (scope.holds(row)) group(row.address).ports.push(row);
  return groups.values();
}

async function writeChanges(
  session: Session,
  { jobId, look, results }: Comparison,
  { changes }: AddressOutcome,
): Promise<void> {
  if (changes.length === 0) return;
  const common = {
    at: await readClock(session),
    scan_id: results.scanId,
    job_id: jobId,
    vantage_id: look.vantageId,
  };
  const hosts = await hostChanges(session, look.vantageId, changes);
  await insertChanges(session, common, [...changes, ...hosts]);
}

/** A host is there while a port of it is open: of any job, so it is counted after all ports are written. */
async function hostChanges(
  session: Session,
  vantageId: number,
  changes: AddressOutcome["changes"],
): Promise<NewChange[]> {
  const gained = new Map<string, { readonly address: Uint8Array; count: number }>();
  for (const { address, before, after, kind } of changes) {
    if (kind === "service_changed") continue;
    const host = gained.get(hex(address)) ?? { address, count: 0 };
    gained.set(hex(address), host);
    host.count += Number(after === "open") - Number(before === "open");
  }
  const open = await countOpenEndpoints(
    session,
    vantageId,
    [...gained.values()].map(({ address }) => address),
  );
  const rest = { protocol: null, port: null, before: null, after: null };
  return [...gained].flatMap(([key, { address, count }]): NewChange[] => {
    const now = open.get(key) ?? 0;
    const former = now - count;
    if (former <= 0 && now > 0) return [{ ...rest, address, kind: "host_appeared" }];
    return former > 0 && now === 0 ? [{ ...rest, address, kind: "host_vanished" }] : [];
  });
}
