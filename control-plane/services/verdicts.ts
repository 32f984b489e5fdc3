/** What a scan found next to what its template expects. */

import { z } from "zod";
import { formatAddressBytes } from "#shared/net/address-bytes.ts";
import { addressSchema, portStateSchema, protocolSchema } from "#shared/protocol/fields.ts";
import type { Verdict, verdictListSchema, VerdictsQuery, VerdictView } from "#shared/protocol/comparisons.ts";
import {
  bytesOf,
  compareEndpoints,
  comparePorts,
  type EndpointKey,
  formatKey,
  hex,
  parseKey,
  type PortKey,
  PROTOCOL_CODES,
  protocolOf,
  STATE_CODES,
  type StateCode,
  stateOf,
} from "../store/endpoint-key.ts";
import { countOpenResults, listStates, searchResults, type ResultsOf } from "../store/results.ts";
import type { Session, Store } from "../store/store.ts";
import { listSuspiciousHosts } from "../store/suspicious-hosts.ts";
import { listVantagesOfScan, type VantageRow } from "../store/vantages.ts";
import { requireScan, resultsOf } from "./results.ts";
import { loadCoverage, type ScanCoverage } from "./scan-coverage.ts";
import { readJson } from "./stored-json.ts";

const expectedSchema = z.array(
  z.object({
    address: addressSchema,
    protocol: protocolSchema,
    port: z.int().min(0).max(65_535),
    state: portStateSchema,
  }),
);

interface Expectation extends PortKey {
  readonly state: StateCode;
}

interface Judged extends EndpointKey {
  readonly verdict: Verdict;
  readonly expected: StateCode | undefined;
  readonly observed: StateCode | undefined;
}

type VerdictList = z.input<typeof verdictListSchema>;

/** Open ports in one part of those that are looked through for unexpected ones. */
const PART = 2_000;

export class Verdicts {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  /** @throws PortolanError NOT_FOUND */
  async list(scanId: number, { limit, cursor, verdict }: VerdictsQuery): Promise<VerdictList> {
    return this.store.run(async (session) => {
      const scan = await requireScan(session, scanId);
      const expectations = readExpectations(scan.expected);
      const counts = { pass: 0, fail: 0, unexpected: 0, unknown: 0 };
      if (expectations.length === 0) return { verdicts: [], nextCursor: null, counts };
      const vantages = await listVantagesOfScan(session, scanId);
      const expected: Judged[] = [];
      for (const { id } of vantages) {
        const coverage = await loadCoverage(session, scan, id);
        expected.push(...(await judge(session, resultsOf(scan), id, expectations, coverage)));
      }
      for (const judged of expected) counts[judged.verdict]++;
      const found = expected.filter(({ observed }) => observed === STATE_CODES.open).length;
      counts.unexpected = (await countOpenResults(session, resultsOf(scan))) - found;
      const after = cursor === undefined ? undefined : parseKey(cursor);
      const listed = await page(session, resultsOf(scan), { expected, vantages, verdict, after, limit });
      const last = listed[limit - 1];
      return {
        verdicts: listed.slice(0, limit).map((judged) => viewVerdict(judged, vantages)),
        nextCursor: listed.length > limit && last !== undefined ? formatKey(last) : null,
        counts,
      };
    });
  }
}

/** What is expected, by address, protocol and port; of two for one port the first counts. */
function readExpectations(expected: string): Expectation[] {
  const byPort = new Map<string, Expectation>();
  for (const { address, protocol, port, state } of readJson(expectedSchema, expected)) {
    const key = `${address} ${protocol} ${port}`;
    if (byPort.has(key)) continue;
    const codes = { protocol: PROTOCOL_CODES[protocol], state: STATE_CODES[state] };
    byPort.set(key, { address: bytesOf(address), port, ...codes });
  }
  return [...byPort.values()].toSorted(comparePorts);
}

/** The expectations as one vantage point meets them. */
async function judge(
  session: Session,
  of: ResultsOf,
  vantageId: number,
  expectations: readonly Expectation[],
  coverage: ScanCoverage,
): Promise<Judged[]> {
  const observed = await observedStates(session, of, vantageId, expectations);
  const addresses = [...new Map(expectations.map(({ address }) => [hex(address), address])).values()];
  const hosts = await listSuspiciousHosts(session, of.scanId, Number.MAX_SAFE_INTEGER, addresses);
  const disbelieved = new Set(
    hosts.filter(({ vantage_id }) => vantage_id === vantageId).map(({ address }) => hex(address)),
  );
  return expectations.map(({ address, protocol, port, state }): Judged => {
    const key = { vantage_id: vantageId, address, protocol, port };
    const seen = observed.get(portText(key));
    const isBelieved = !disbelieved.has(hex(address));
    return {
      ...key,
      expected: state,
      observed: seen,
      verdict: isBelieved ? verdictOn(state, seen, key, coverage) : "unknown",
    };
  });
}

function verdictOn(
  expected: StateCode,
  observed: StateCode | undefined,
  port: PortKey,
  coverage: ScanCoverage,
): Verdict {
  if (observed !== undefined) return observed === expected ? "pass" : "fail";
  if (!coverage.covers(port)) return "unknown";
  return coverage.isSilentAbout(expected) ? "pass" : "fail";
}

function portText({ address, protocol, port }: PortKey): string {
  return `${hex(address)} ${protocol} ${port}`;
}

async function observedStates(
  session: Session,
  of: ResultsOf,
  vantageId: number,
  ports: readonly PortKey[],
): Promise<ReadonlyMap<string, StateCode>> {
  const rows = await listStates(session, of, vantageId, ports);
  return new Map(rows.map((row) => [portText(row), row.state]));
}

interface PageRequest {
  readonly expected: readonly Judged[];
  readonly vantages: readonly VantageRow[];
  readonly verdict: Verdict | undefined;
  readonly after: EndpointKey | undefined;
  readonly limit: number;
}

/** Up to one more than the limit, in the order of their keys. */
async function page(
  session: Session,
  of: ResultsOf,
  { expected, vantages, verdict, after, limit }: PageRequest,
): Promise<Judged[]> {
  const isAfter = (key: EndpointKey): boolean => after === undefined || compareEndpoints(key, after) > 0;
  const judged = expected.filter((one) => isAfter(one) && (verdict === undefined || one.verdict === verdict));
  if (verdict !== undefined && verdict !== "unexpected") return judged.slice(0, limit + 1);
  const isExpected = new Set(expected.map((one) => `${one.vantage_id} ${portText(one)}`));
  const unexpected: Judged[] = [];
  for (const { id } of vantages.filter((vantage) => after === undefined || vantage.id >= after.vantage_id)) {
    let position: PortKey | undefined = after?.vantage_id === id ? after : undefined;
    while (unexpected.length <= limit) {
      const open = await searchResults(
        session,
        of,
        id,
        { state: STATE_CODES.open },
        { after: position },
        PART,
      );
      for (const { vantage_id, address, protocol, port, state } of open) {
        const key = { vantage_id, address, protocol, port };
        if (isExpected.has(`${vantage_id} ${portText(key)}`)) continue;
        unexpected.push({ ...key, verdict: "unexpected", expected: undefined, observed: state });
      }
      if (open.length < PART) break;
      position = open.at(-1);
    }
  }
  return [...(verdict === undefined ? judged : []), ...unexpected]
    .toSorted(compareEndpoints)
    .slice(0, limit + 1);
}

function viewVerdict(judged: Judged, vantages: readonly VantageRow[]): VerdictView {
  const { vantage_id, address, protocol, port, verdict, expected, observed } = judged;
  return {
    vantage: vantages.find(({ id }) => id === vantage_id)?.key ?? "",
    address: formatAddressBytes(address),
    protocol: protocolOf(protocol),
    port,
    verdict,
    expected: expected === undefined ? null : stateOf(expected),
    observed: observed === undefined ? null : stateOf(observed),
  };
}
