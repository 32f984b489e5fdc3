/**
 * Names of services as IANA registers them: port → name for reports, name → ports for what people write.
 * The table, its source and its licence are in `data/service-names.txt`. It is read when first asked.
 */

import table from "./data/service-names.txt" with { type: "text" };
import type { NumberRange } from "./ranges.ts";

type Protocol = "tcp" | "udp";

interface Registry {
  readonly nameOf: Map<number, string>;
  readonly portsOf: Map<string, NumberRange[]>;
}

/** No assigned name is longer. */
const MAX_NAME_LENGTH = 32;

/** `6665-6669/tcp ircu`: ports, the protocol where it is one only, names. */
const LINE = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp))? (.+)$/gm;

let registries: Readonly<Record<Protocol, Registry>> | undefined;

function registryOf(protocol: Protocol): Registry {
  registries ??= readTable();
  return registries[protocol];
}

function readTable(): Record<Protocol, Registry> {
  const read: Record<Protocol, Registry> = {
    tcp: { nameOf: new Map(), portsOf: new Map() },
    udp: { nameOf: new Map(), portsOf: new Map() },
  };
  for (const [, from, to = from, only, list = ""] of table.matchAll(LINE)) {
    const range = { first: Number(from), last: Number(to) };
    const names = list.split(" ");
    for (const protocol of ["tcp", "udp"] as const) {
      if (only === undefined || only === protocol) assign(read[protocol], range, names);
    }
  }
  return read;
}

function assign({ nameOf, portsOf }: Registry, range: NumberRange, names: readonly string[]): void {
  for (const name of names) portsOf.set(name, [...(portsOf.get(name) ?? []), range]);
  const [usual = ""] = names;
  // Ranges stand before the single ports inside them, so that the closer name comes last and stays.
  for (let port = range.first; port <= range.last; port++) nameOf.set(port, usual);
}

/** The usual name of a port's service, or undefined where none is registered. What really answers there may differ. */
export function serviceName(port: number, protocol: Protocol): string | undefined {
  return registryOf(protocol).nameOf.get(port);
}

/** The ports registered for a name, in any case of letters; empty where there are none for this protocol. */
export function portsOfService(name: string, protocol: Protocol): readonly NumberRange[] {
  return registryOf(protocol).portsOf.get(name.toLowerCase()) ?? [];
}

/** The ports with a registered name, ascending. */
export function registeredPorts(protocol: Protocol): number[] {
  return [...registryOf(protocol).nameOf.keys()].toSorted((a, b) => a - b);
}

/** The registered name that a mistyped one is closest to: two slips at most, one in a short name. */
export function nearestServiceName(mistyped: string, protocol: Protocol): string | undefined {
  if (mistyped.length > MAX_NAME_LENGTH) return undefined;
  const wanted = mistyped.toLowerCase();
  let nearest: string | undefined;
  let least = mistyped.length <= 3 ? 2 : 3;
  for (const name of registryOf(protocol).portsOf.keys()) {
    const distance = editDistance(wanted, name, least);
    if (distance < least) [nearest, least] = [name, distance];
  }
  return nearest;
}

/** Levenshtein's distance: letters to insert, leave out or replace; exact below `enough`, else at least that. */
function editDistance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  // The table's present row: distances from the first i letters of a to each beginning of b.
  const row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    let diagonal = i - 1;
    let left = i;
    let least = i;
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j] ?? 0;
      const replaced = a[i - 1] === b[j - 1] ? diagonal : diagonal + 1;
      diagonal = above;
      left = Math.min(replaced, above + 1, left + 1);
      row[j] = left;
      if (left < least) least = left;
    }
    // No row leads to less than the least it holds.
    if (least >= enough) return enough;
  }
  return row[b.length] ?? 0;
}
