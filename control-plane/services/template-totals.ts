/** How much a template has to scan, and how long that takes at the rates that apply. Pure. */

import { AddressCollector, type AddressSet, countAddresses } from "#shared/net/address-set.ts";
import { countPorts, type PortSet } from "#shared/net/port-spec.ts";
import { normalizeRanges } from "#shared/net/ranges.ts";
import { effectiveRatePps, equalShare } from "./rates.ts";
import { isRunnable, type SourceScope, type TemplateScope } from "./template-scope.ts";

export interface TemplateTotals {
  /** Distinct addresses. */
  readonly hosts: number;
  /** Distinct ports of both protocols. */
  readonly ports: number;
  readonly probes: number;
  readonly estimatedSeconds: number | null;
}

/** A scanner's limit in probes per second; 0 is unlimited. */
export type LimitOf = (scannerId: number) => number;

export function templateTotals(scope: TemplateScope, limitOf: LimitOf): TemplateTotals {
  const hosts = countDistinctAddresses(scope.sources.map(({ addresses }) => addresses));
  const ports = countPorts(unionPorts(scope.portLists.map((list) => list.ports)));
  return { hosts, ports, probes: hosts * ports, estimatedSeconds: estimateSeconds(scope, limitOf) };
}

/** How many vantage points scan the source. A scanner in several of its groups is one. */
export function countVantages({ scannerIds, groups }: SourceScope): number {
  return groupMembers(groups).size + (scannerIds.length > 0 ? 1 : 0);
}

function groupMembers(groups: SourceScope["groups"]): Set<number> {
  return new Set(groups.flatMap(({ scannerIds }) => scannerIds));
}

/** Distinct addresses of all sets. */
function countDistinctAddresses(sets: Iterable<AddressSet>): number {
  const collector = new AddressCollector();
  for (const { v4, v6 } of sets) {
    collector.v4.addAll(v4);
    collector.v6.addAll(v6);
  }
  return countAddresses(collector.take());
}

function unionPorts(sets: readonly PortSet[]): PortSet {
  return {
    tcp: normalizeRanges(sets.flatMap(({ tcp }) => tcp)),
    udp: normalizeRanges(sets.flatMap(({ udp }) => udp)),
  };
}

/** Those who scan a source as one vantage point, and what they can do together. */
interface Workforce {
  readonly key: string;
  /** 0 is unlimited. */
  readonly limitPps: number;
}

/** All who scan a source, and what they are to scan in all. */
interface Crew {
  readonly workforces: readonly Workforce[];
  /** The lowest limit of any; 0 when none has one. */
  readonly slowestPps: number;
  readonly hasUnlimited: boolean;
  probes: number;
}

/**
 * The longest that any source takes at its own rate, or that any scanner takes for all that it scans, whichever is
 * more: sources are scanned side by side, a source's port lists one after the other. Null where a part has no limit at
 * all. First probes only, and overlaps count each time: what is really planned may be less.
 */
function estimateSeconds({ sources, portLists }: TemplateScope, limitOf: LimitOf): number | null {
  const lists = portLists
    .map(({ ports, portListRatePps }) => ({ ports: countPorts(ports), portListRatePps }))
    .filter(({ ports }) => ports > 0);
  const crews = new Map<string, Crew>();
  let longest = 0;
  for (const source of sources.filter(isRunnable)) {
    const crew = crewFor(source, crews, limitOf);
    const share = equalShare(source.subnetRatePps, crew.workforces.length);
    const hosts = countAddresses(source.addresses);
    let seconds = 0;
    for (const { ports, portListRatePps } of lists) {
      if (crew.hasUnlimited && share === 0 && portListRatePps === 0) return null;
      seconds += (hosts * ports) / effectiveRatePps(share, portListRatePps, crew.slowestPps);
      crew.probes += hosts * ports;
    }
    longest = Math.max(longest, seconds);
  }
  return Math.ceil(Math.max(longest, busiestSeconds(crews.values())));
}

/** Crews are few where sources are many: each is put together once. */
function crewFor(source: SourceScope, crews: Map<string, Crew>, limitOf: LimitOf): Crew {
  const key = `${source.scannerIds.join()}|${source.groups.map(({ id }) => id).join()}`;
  const known = crews.get(key);
  if (known !== undefined) return known;
  const workforces = workforcesOf(source, limitOf);
  const limits = workforces.map(({ limitPps }) => limitPps);
  const crew = {
    workforces,
    slowestPps: effectiveRatePps(...limits),
    hasUnlimited: limits.includes(0),
    probes: 0,
  };
  crews.set(key, crew);
  return crew;
}

function workforcesOf({ scannerIds, groups }: SourceScope, limitOf: LimitOf): Workforce[] {
  const members = [...groupMembers(groups)].map((id) => ({ key: `scanner:${id}`, limitPps: limitOf(id) }));
  if (scannerIds.length === 0) return members;
  const limits = scannerIds.map(limitOf);
  // One without a limit makes the whole pool unlimited: it may do all of it.
  const limitPps = limits.includes(0) ? 0 : limits.reduce((sum, limit) => sum + limit, 0);
  return [{ key: `pool:${scannerIds.join()}`, limitPps }, ...members];
}

/** What the busiest takes for all that it scans, at its own limit. */
function busiestSeconds(crews: Iterable<Crew>): number {
  const loads = new Map<string, { readonly limitPps: number; probes: number }>();
  for (const { workforces, probes } of crews) {
    for (const { key, limitPps } of workforces) {
      const load = loads.get(key);
      if (load === undefined) loads.set(key, { limitPps, probes });
      else load.probes += probes;
    }
  }
  const limited = [...loads.values()].filter(({ limitPps }) => limitPps > 0);
  return limited.reduce((most, { limitPps, probes }) => Math.max(most, probes / limitPps), 0);
}
