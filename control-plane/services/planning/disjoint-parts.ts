/**
 * The parts of a scope made disjoint: each address, protocol and port is in one of them, the first in order. Parts with
 * ports of their own may overlap in some ports only, so the ports are cut into groups that lie wholly inside or outside
 * of every part, and the addresses are told apart group by group.
 */

import { countAddresses, type AddressSet } from "#shared/net/address-set.ts";
import { countPorts, type PortSet } from "#shared/net/port-spec.ts";
import { normalizeRanges, type NumberRange, rangesContain } from "#shared/net/ranges.ts";
import { withoutOverlaps } from "./overlaps.ts";

export interface Scope {
  readonly addresses: AddressSet;
  readonly ports: PortSet;
}

/** A scope and the place, among the given parts, of the one it is of. */
export interface DisjointScope extends Scope {
  readonly part: number;
}

/** Ports that the same parts name. */
interface PortGroup {
  readonly ports: { readonly tcp: NumberRange[]; readonly udp: NumberRange[] };
  /** Places of the different port sets that have these ports. */
  readonly sets: readonly number[];
}

export function disjointScopes(parts: readonly Scope[]): DisjointScope[] {
  const portSets = [...new Set(parts.map(({ ports }) => ports))];
  const scopes: DisjointScope[] = [];
  for (const { ports, sets } of portGroups(portSets)) {
    const named = new Set(sets.map((set) => portSets[set]));
    const members = [...parts.entries()].filter(([, part]) => named.has(part.ports));
    const addresses = withoutOverlaps(members.map(([, part]) => part.addresses));
    for (const [index, [part]] of members.entries()) {
      const own = addresses[index];
      if (own !== undefined && countAddresses(own) > 0) scopes.push({ addresses: own, ports, part });
    }
  }
  return scopes;
}

/** Every port that some set has, with those that the same sets have. */
function portGroups(sets: readonly PortSet[]): PortGroup[] {
  const groups = new Map<string, PortGroup>();
  for (const protocol of ["tcp", "udp"] as const) {
    const edges = sets.flatMap((set) => set[protocol].flatMap(({ first, last }) => [first, last + 1]));
    const sorted = [...new Set(edges)].toSorted((a, b) => a - b);
    for (const [index, first] of sorted.entries()) {
      const end = sorted[index + 1];
      if (end === undefined) break;
      const having = [...sets.keys()].filter((set) => rangesContain(sets[set]?.[protocol] ?? [], first));
      if (having.length === 0) continue;
      const key = having.join();
      const group = groups.get(key) ?? { ports: { tcp: [], udp: [] }, sets: having };
      groups.set(key, group);
      group.ports[protocol].push({ first, last: end - 1 });
    }
  }
  return [...groups.values()].map(({ ports, sets: having }) => ({
    ports: { tcp: normalizeRanges(ports.tcp), udp: normalizeRanges(ports.udp) },
    sets: having,
  }));
}

/** Addresses times ports; near beyond 2⁵³. */
export function countProbes({ addresses, ports }: Scope): number {
  return countAddresses(addresses) * countPorts(ports);
}
