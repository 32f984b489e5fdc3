/**
 * Port specifications: `22,80-443,53/udp,https,U:161,!25`. Names are those that IANA registers.
 * `T:` and `U:` set the protocol for what follows, `/tcp` and `/udp` for one token, `-` alone is 1-65535.
 * `!` takes away: from the protocol it names, from both when it names none, wherever in the list it stands.
 */

import { UsageError } from "../errors.ts";
import { excerpt } from "./excerpt.ts";
import { countRanges, normalizeRanges, type NumberRange, subtractRanges } from "./ranges.ts";
import { nearestServiceName, portsOfService } from "./service-names.ts";

export const MAX_PORT = 65_535;

export interface PortSet {
  readonly tcp: readonly NumberRange[];
  readonly udp: readonly NumberRange[];
}

type Protocol = keyof PortSet;
const PROTOCOLS: readonly Protocol[] = ["tcp", "udp"];

/** `!`, `T:` or `U:`, what ports, `/tcp` or `/udp`. */
const TOKEN = /^(!)?(?:([TU]):)?([^!:/]+)(?:\/(tcp|udp))?$/i;
const NUMBERS = /^(\d+)(?:-(\d+))?$/;
const NAME = /^(?=.*[a-z])[a-z0-9][a-z0-9+._-]*$/i;

const NO_TOKEN = "is no port, no range and no name of a service";

function invalid(specification: string, token: string, why: string): UsageError {
  const shown = token === "" ? "an empty entry" : `'${excerpt(token)}'`;
  const message = `invalid port specification '${excerpt(specification)}': ${shown} ${why}`;
  return new UsageError("INVALID_PORT", message, { details: { token: excerpt(token) } });
}

/** Ports of each protocol, as they are collected. */
type PortLists = Record<Protocol, NumberRange[]>;

/** Adds the ports that one token names, its prefix and suffix taken off, to the lists of these protocols. */
function addPorts(
  lists: PortLists,
  protocols: readonly Protocol[],
  what: string,
  wrong: (why: string) => UsageError,
): void {
  const range = what === "-" ? { first: 1, last: MAX_PORT } : parseNumbers(what, wrong);
  let isKnown = false;
  for (const protocol of protocols) {
    const ranges = range === undefined ? portsOfService(what, protocol) : [range];
    lists[protocol].push(...ranges);
    isKnown ||= ranges.length > 0;
  }
  if (!isKnown) throw unknownName(protocols, what, wrong);
}

function parseNumbers(what: string, wrong: (why: string) => UsageError): NumberRange | undefined {
  const [, from, to = from] = NUMBERS.exec(what) ?? [];
  if (from === undefined || to === undefined) return undefined;
  const [first, last] = [Number(from), Number(to)];
  for (const port of [first, last]) {
    if (!(port >= 1 && port <= MAX_PORT)) throw wrong(`is not within 1-${MAX_PORT}`);
  }
  if (last < first) throw wrong("ends before it begins");
  return { first, last };
}

function unknownName(
  protocols: readonly Protocol[],
  name: string,
  wrong: (why: string) => UsageError,
): UsageError {
  if (!NAME.test(name)) return wrong(NO_TOKEN);
  const other = PROTOCOLS.find((protocol) => portsOfService(name, protocol).length > 0);
  if (other !== undefined) return wrong(`has no ${protocols.join()} port; write ${name}/${other}`);
  const nearest = protocols.map((protocol) => nearestServiceName(name, protocol)).find(Boolean);
  return wrong(`is no service that IANA knows${nearest === undefined ? "" : `; did you mean '${nearest}'?`}`);
}

/**
 * @throws UsageError INVALID_PORT naming the token that is wrong, or saying that nothing is left
 */
export function parsePorts(specification: string): PortSet {
  const wanted: PortLists = { tcp: [], udp: [] };
  const excluded: PortLists = { tcp: [], udp: [] };
  let protocol: Protocol = "tcp";

  for (const token of specification.trim().split(/\s*,\s*|\s+/)) {
    const wrong = (why: string): UsageError => invalid(specification, token, why);
    const [, not, prefix, what, suffix] = TOKEN.exec(token) ?? [];
    if (what === undefined) throw wrong(NO_TOKEN);
    if (prefix !== undefined) protocol = prefix.toUpperCase() === "U" ? "udp" : "tcp";
    const of: Protocol = suffix === undefined ? protocol : suffix.toLowerCase() === "udp" ? "udp" : "tcp";
    const isForBoth = not !== undefined && prefix === undefined && suffix === undefined;
    addPorts(not === undefined ? wanted : excluded, isForBoth ? PROTOCOLS : [of], what, wrong);
  }

  const ports: PortSet = {
    tcp: subtractRanges(normalizeRanges(wanted.tcp), normalizeRanges(excluded.tcp)),
    udp: subtractRanges(normalizeRanges(wanted.udp), normalizeRanges(excluded.udp)),
  };
  if (countPorts(ports) === 0) {
    const message = `invalid port specification '${excerpt(specification)}': no port is left`;
    throw new UsageError("INVALID_PORT", message);
  }
  return ports;
}

export function countPorts(ports: PortSet): number {
  return countRanges(ports.tcp) + countRanges(ports.udp);
}

/** Canonical text, exclusions expanded, that `parsePorts` reads back: `22,80-443,U:53`. */
export function formatPorts(ports: PortSet): string {
  const list = (ranges: readonly NumberRange[]): string =>
    ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
  return [ports.tcp.length > 0 ? list(ports.tcp) : "", ports.udp.length > 0 ? `U:${list(ports.udp)}` : ""]
    .filter((part) => part !== "")
    .join(",");
}
