/**
 * Fewer and larger scopes for the same endpoints: ports of the same addresses together, then addresses with the same
 * ports. An agent takes the targets of a job one after the other, so a thousand small ones would take it long.
 */

import { AddressCollector, areSameAddresses, type AddressSet } from "#shared/net/address-set.ts";
import { formatPorts, type PortSet } from "#shared/net/port-spec.ts";
import { normalizeRanges } from "#shared/net/ranges.ts";
import type { Scope } from "./disjoint-parts.ts";

/** @param scopes that do not overlap */
export function joinScopes(scopes: readonly Scope[]): Scope[] {
  const [first] = scopes;
  const hasOnePortSet = scopes.every(({ ports }) => ports === first?.ports);
  return joinAddresses(hasOnePortSet ? scopes : joinPorts(scopes));
}

function joinPorts(scopes: readonly Scope[]): Scope[] {
  const joined = new Map<string, { addresses: AddressSet; ports: PortSet }[]>();
  for (const { addresses, ports } of scopes) {
    const key = digestOf(addresses);
    const alike = joined.get(key) ?? [];
    joined.set(key, alike);
    const same = alike.find((scope) => areSameAddresses(scope.addresses, addresses));
    if (same === undefined) alike.push({ addresses, ports });
    else same.ports = unionPorts(same.ports, ports);
  }
  return [...joined.values()].flat();
}

/** The same for the same addresses, and seldom for others. */
function digestOf({ v4, v6 }: AddressSet): string {
  const ends = [v4.words.length, v4.words[0], v4.words.at(-1), v6.words.length, v6.words[3], v6.words.at(-1)];
  return ends.join();
}

function unionPorts(a: PortSet, b: PortSet): PortSet {
  return { tcp: normalizeRanges([...a.tcp, ...b.tcp]), udp: normalizeRanges([...a.udp, ...b.udp]) };
}

function joinAddresses(scopes: readonly Scope[]): Scope[] {
  const joined = new Map<string, { readonly ports: PortSet; readonly collector: AddressCollector }>();
  const keys = new Map<PortSet, string>();
  for (const { addresses, ports } of scopes) {
    const key = keys.get(ports) ?? formatPorts(ports);
    keys.set(ports, key);
    const same = joined.get(key) ?? { ports, collector: new AddressCollector() };
    joined.set(key, same);
    same.collector.v4.addAll(addresses.v4);
    same.collector.v6.addAll(addresses.v6);
  }
  return Array.from(joined.values(), ({ ports, collector }) => ({ ports, addresses: collector.take() }));
}
