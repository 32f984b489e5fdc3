/**
 * What one look at one address says about its ports, next to what was known of them. Pure.
 *
 * An open port that was seen is open, whatever came of the scan. That a port is not open is believed only of a scan
 * that was complete, and of a port that nobody saw since the scan began.
 */

import type { ChangeKind } from "#shared/protocol/changes.ts";
import { type PortKey, STATE_CODES, type StateCode, stateOf } from "../store/endpoint-key.ts";
import type { EndpointRow } from "../store/endpoints.ts";
import type { ComparedResult } from "../store/results.ts";

/** What there is to say about the look itself. */
export interface Look {
  readonly scanId: number;
  readonly vantageId: number;
  /** Every port of the scope was probed. */
  readonly isComplete: boolean;
  /** Some host answered on every port, and which is not known: silence of a host then says nothing. */
  readonly hasUnnamedSuspects: boolean;
  /** Only these were reported. */
  readonly reportStates: ReadonlySet<StateCode>;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Whether an earlier complete look would have seen the port, had it been open. */
  wasCovered(port: PortKey): boolean;
}

export interface PortChange extends PortKey {
  readonly kind: ChangeKind;
  readonly before: string;
  readonly after: string;
}

export interface AddressOutcome {
  /** What is known now, where that is not what was known before. */
  readonly endpoints: EndpointRow[];
  readonly changes: PortChange[];
}

/**
 * @param known of the ports of one address that the look was at, by protocol and port
 * @param seen results of the look for the same address, by protocol and port
 */
export function compareAddress(
  look: Look,
  known: readonly EndpointRow[],
  seen: readonly ComparedResult[],
): AddressOutcome {
  const outcome: AddressOutcome = { endpoints: [], changes: [] };
  const knownOf = new Map(known.map((endpoint) => [portId(endpoint), endpoint]));
  let isAlive = false;
  for (const result of seen) {
    if (result.state === STATE_CODES.open) isAlive = true;
    const endpoint = knownOf.get(portId(result));
    knownOf.delete(portId(result));
    if (result.state !== STATE_CODES.open && !look.isComplete) continue;
    if (endpoint === undefined) addNew(look, result, outcome);
    else addSeen(look, endpoint, result, outcome);
  }
  if (!look.isComplete || (look.hasUnnamedSuspects && !isAlive)) return outcome;
  for (const endpoint of knownOf.values()) addSilent(look, endpoint, outcome);
  return outcome;
}

function portId({ protocol, port }: PortKey): number {
  return protocol * 65_536 + port;
}

/** By the clock of the scanner, but never later than the end of its job by the database's. */
function seenAtMs({ endedAtMs }: Look, { last_seen }: ComparedResult): number {
  return Math.min(last_seen, endedAtMs);
}

function addNew(look: Look, result: ComparedResult, { endpoints, changes }: AddressOutcome): void {
  const { address, protocol, port, state, service, product, version } = result;
  const atMs = seenAtMs(look, result);
  endpoints.push({
    vantage_id: look.vantageId,
    address,
    protocol,
    port,
    state,
    since: atMs,
    first_seen: atMs,
    last_seen: atMs,
    scan_id: look.scanId,
    service,
    product,
    version,
  });
  if (state !== STATE_CODES.open || !look.wasCovered(result)) return;
  changes.push({ address, protocol, port, kind: "port_opened", before: "closed", after: "open" });
}

function addSeen(
  look: Look,
  known: EndpointRow,
  result: ComparedResult,
  { endpoints, changes }: AddressOutcome,
): void {
  const atMs = seenAtMs(look, result);
  if (atMs < known.last_seen) return;
  const { address, protocol, port, state } = result;
  const software = mergeSoftware(known, result);
  const isChanged = state !== known.state;
  endpoints.push({
    ...known,
    ...software,
    state,
    since: isChanged ? atMs : known.since,
    last_seen: atMs,
    scan_id: look.scanId,
  });
  if (isChanged) {
    const kind = KIND_OF[stateOf(state)];
    changes.push({ address, protocol, port, kind, before: stateOf(known.state), after: stateOf(state) });
  } else if (state === STATE_CODES.open && contradicts(known, result)) {
    const [before, after] = [describe(known), describe(software)];
    changes.push({ address, protocol, port, kind: "service_changed", before, after });
  }
}

function addSilent(look: Look, known: EndpointRow, { endpoints, changes }: AddressOutcome): void {
  if (known.last_seen > look.startedAtMs) return;
  const state = silentState(look.reportStates, known.state);
  if (state === known.state) return;
  endpoints.push({ ...known, state, since: look.endedAtMs, scan_id: look.scanId });
  const { address, protocol, port } = known;
  const kind = KIND_OF[stateOf(state)];
  changes.push({ address, protocol, port, kind, before: stateOf(known.state), after: stateOf(state) });
}

const KIND_OF = { open: "port_opened", closed: "port_closed", filtered: "port_filtered" } as const;

/** The state of a port that was probed and not reported: one that is not reported, and the former one if it can be. */
export function silentState(reported: ReadonlySet<StateCode>, known: StateCode): StateCode {
  const { open, closed, filtered } = STATE_CODES;
  if (!reported.has(known)) return known;
  // Whether the others are open is not known, and nothing is said to be open that nobody saw.
  if (!reported.has(open)) return known;
  return reported.has(closed) ? filtered : closed;
}

export type Software = Pick<EndpointRow, "service" | "product" | "version">;
const SOFTWARE = ["service", "product", "version"] as const;

/** True when both say something about the same, and not the same. What one does not say is no contradiction. */
export function contradicts(before: Software, after: Software): boolean {
  return SOFTWARE.some(
    (field) => before[field] !== null && after[field] !== null && before[field] !== after[field],
  );
}

/** What was known stays where nothing is said, unless it is of something else than what is there now. */
function mergeSoftware(known: Software, seen: Software): Software {
  if (contradicts(known, seen))
    return { service: seen.service, product: seen.product, version: seen.version };
  return {
    service: seen.service ?? known.service,
    product: seen.product ?? known.product,
    version: seen.version ?? known.version,
  };
}

/** `ssh OpenSSH 9.2` */
function describe(software: Software): string {
  return SOFTWARE.map((field) => software[field])
    .filter((text) => text !== null)
    .join(" ");
}
