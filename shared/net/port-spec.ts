/**
 * Port specifications: `22,80-443,53/udp,U:161,!25`.
 * `T:` and `U:` set the protocol for what follows, `/tcp` and `/udp` for one token, `-` alone is 1-65535.
 * `!` takes away: from the protocol it names, from both when it names none, wherever in the list it stands.
 */

import { UsageError } from "../errors.ts";
import { excerpt } from "./excerpt.ts";
import { countRanges, normalizeRanges, type NumberRange, subtractRanges } from "./ranges.ts";

export const MAX_PORT = 65_535;

export interface PortSet {
  readonly tcp: readonly NumberRange[];
  readonly udp: readonly NumberRange[];
}

type Protocol = keyof PortSet;

const TOKEN = /^(!)?(?:([TU]):)?(\d+|-)?(?:-(\d+))?(?:\/(tcp|udp))?$/i;

function invalid(specification: string, token: string, why: string): UsageError {
  const shown = token === "" ? "an empty entry" : `'${excerpt(token)}'`;
  const message = `invalid port specification '${excerpt(specification)}': ${shown} ${why}`;
  return new UsageError("INVALID_PORT", message, { details: { token: excerpt(token) } });
}

function parsePort(specification: string, token: string, digits: string): number {
  const port = Number(digits);
  if (!(port >= 1 && port <= MAX_PORT)) throw invalid(specification, token, `is not within 1-${MAX_PORT}`);
  return port;
}

/**
 * @throws UsageError INVALID_PORT naming the token that is wrong, or saying that nothing is left
 */
export function parsePorts(specification: string): PortSet {
  const wanted: Record<Protocol, NumberRange[]> = { tcp: [], udp: [] };
  const excluded: Record<Protocol, NumberRange[]> = { tcp: [], udp: [] };
  let protocol: Protocol = "tcp";

  for (const token of specification.trim().split(/\s*,\s*|\s+/)) {
    const match = TOKEN.exec(token);
    const [, not, prefix, from, to, suffix] = match ?? [];
    if (match === null || from === undefined || (from === "-" && to !== undefined)) {
      throw invalid(specification, token, "is no port, no range and no protocol/port pair");
    }
    if (prefix !== undefined) protocol = prefix.toUpperCase() === "U" ? "udp" : "tcp";
    const of: Protocol = suffix === undefined ? protocol : suffix.toLowerCase() === "udp" ? "udp" : "tcp";
    const first = from === "-" ? 1 : parsePort(specification, token, from);
    const last = from === "-" ? MAX_PORT : to === undefined ? first : parsePort(specification, token, to);
    if (last < first) throw invalid(specification, token, "ends before it begins");
    if (not === undefined) {
      wanted[of].push({ first, last });
    } else if (prefix === undefined && suffix === undefined) {
      excluded.tcp.push({ first, last });
      excluded.udp.push({ first, last });
    } else {
      excluded[of].push({ first, last });
    }
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
