/**
 * A scope becomes jobs: from every vantage point each address, protocol and port once, at no more than any limit allows,
 * in pieces of a few minutes. Computation only; who is there and what they can do is handed in.
 */

import { type AddressSet, emptyAddressSet } from "#shared/net/address-set.ts";
import type { JobTarget, ScanEngine } from "#shared/protocol/job.ts";
import {
  JOB_TARGET_SECONDS,
  MAX_JOBS_PER_SCAN,
  MAX_PROBES_PER_JOB,
  MAX_RATE_PPS,
} from "#shared/protocol/limits.ts";
import { countProbes, disjointScopes, type Scope } from "./planning/disjoint-parts.ts";
import { joinScopes } from "./planning/join-scopes.ts";
import type { PlanScope } from "./planning/plan-scope.ts";
import { splitScopes } from "./planning/split-scope.ts";
import { type PlanVantage, type ScannerFacts, vantagesOf } from "./planning/vantages.ts";
import { effectiveRatePps } from "./rates.ts";
import { refusal } from "./refusal.ts";

export interface PlannedJob {
  readonly vantageKey: string;
  /** At least one. */
  readonly scannerIds: readonly number[];
  readonly targets: readonly JobTarget[];
  readonly probes: number;
  /** 0 is unlimited. */
  readonly ratePps: number;
  /** Jobs of the vantage point with the same key share the rate. */
  readonly rateKey: string | null;
  readonly estimateSeconds: number;
  /** Why none of its scanners can do it. */
  readonly impossible: string | undefined;
}

/** What an unlimited scanner is reckoned to do, to size its jobs. */
const RECKONED_PPS: Readonly<Record<ScanEngine, number>> = { syn: MAX_RATE_PPS, connect: 2_000, nmap: 500 };
const MAX_DOUBLINGS = 60;

/** Scopes of one vantage point at one rate. */
interface Stream {
  readonly vantage: PlanVantage;
  readonly ratePps: number;
  readonly rateKey: string | null;
  readonly scopes: Scope[];
}

/**
 * @param scanners those that exist; others that the scope names are passed over
 * @throws PortolanError INVALID_PORT for UDP by `connect`, CONFLICT when nobody may do any of it, SCOPE_TOO_LARGE,
 *   LIMIT_REACHED when it takes too many jobs
 */
export function planJobs(scope: PlanScope, scanners: ReadonlyMap<number, ScannerFacts>): PlannedJob[] {
  refuseUdpByConnect(scope);
  const streams = streamsOf(scope, scanners);
  requireSomebody(streams, scope, scanners);
  requireCountable(streams);
  const grouped = (streams.length > MAX_JOBS_PER_SCAN ? joinedByRate(streams) : streams).map(
    ({ vantage, ratePps, rateKey, scopes }) => ({ vantage, ratePps, rateKey, scopes: joinScopes(scopes) }),
  );
  let seconds = JOB_TARGET_SECONDS;
  for (let doubling = 0; doubling < MAX_DOUBLINGS && grouped.length <= MAX_JOBS_PER_SCAN; doubling++) {
    const jobs = splitStreams(grouped, scope, seconds);
    if (jobs !== undefined) return jobs;
    seconds *= 2;
  }
  throw refusal(
    "LIMIT_REACHED",
    `this takes more than ${MAX_JOBS_PER_SCAN} jobs; scan fewer networks, or from fewer scanners, at a time`,
  );
}

function refuseUdpByConnect({ engine, parts }: PlanScope): void {
  if (engine !== "connect") return;
  const udp = parts.find(({ ports }) => ports.udp.length > 0)?.ports.udp[0];
  if (udp === undefined) return;
  const token = `U:${udp.first}`;
  throw refusal("INVALID_PORT", `the engine 'connect' cannot scan UDP ports: ${token}; use 'syn' or 'nmap'`, {
    token,
  });
}

function streamsOf(scope: PlanScope, scanners: ReadonlyMap<number, ScannerFacts>): Stream[] {
  const streams = new Map<string, Stream>();
  for (const looks of vantagesOf(scope.parts, scanners)) {
    for (const { part, addresses, ports } of disjointScopes(looks.map((look) => look.part))) {
      const look = looks[part];
      if (look === undefined) throw new RangeError(`no part ${part}`);
      for (const { vantage, some } of byAbility(look.vantage, addresses, scope.engine)) {
        const { ratePps, rateKey } = look;
        const key = [
          vantage.key,
          vantage.able.map(({ id }) => id),
          vantage.impossible,
          ratePps,
          rateKey,
        ].join("|");
        const stream = streams.get(key) ?? { vantage, ratePps, rateKey, scopes: [] };
        streams.set(key, stream);
        stream.scopes.push({ addresses: some, ports });
      }
    }
  }
  return [...streams.values()];
}

interface AbleVantage {
  readonly vantage: PlanVantage;
  readonly some: AddressSet;
}

/** The vantage point with those of its scanners that can do it: for each family apart where they differ. */
function byAbility(vantage: PlanVantage, addresses: AddressSet, engine: ScanEngine): AbleVantage[] {
  const isMixed = addresses.v4.length > 0 && addresses.v6.length > 0;
  const [all, v4] = [ableFor(vantage, engine, addresses.v6.length > 0), ableFor(vantage, engine, false)];
  if (!isMixed || all.able.length === v4.able.length) return [{ vantage: all, some: addresses }];
  return [
    { vantage: v4, some: { v4: addresses.v4, v6: emptyAddressSet.v6 } },
    { vantage: all, some: { v4: emptyAddressSet.v4, v6: addresses.v6 } },
  ];
}

function ableFor(vantage: PlanVantage, engine: ScanEngine, needsIpv6: boolean): PlanVantage {
  const names = vantage.able.map(({ name }) => `'${name}'`).join(", ");
  const withNmap = engine === "nmap" ? vantage.able.filter(hasNmap) : vantage.able;
  if (withNmap.length === 0) return { ...vantage, able: [], impossible: `nmap is not installed on ${names}` };
  const able = needsIpv6 ? withNmap.filter(mayHaveIpv6) : withNmap;
  if (able.length === 0) return { ...vantage, able, impossible: `no IPv6 connectivity on ${names}` };
  return { ...vantage, able };
}

const hasNmap = ({ capabilities }: ScannerFacts): boolean => capabilities.includes("nmap");

/** A scanner that names no family at all is not known to lack one; it finds out when it has the job. */
function mayHaveIpv6({ capabilities }: ScannerFacts): boolean {
  return capabilities.includes("ipv6") || !capabilities.includes("ipv4");
}

function requireSomebody(
  streams: readonly Stream[],
  { engine, parts }: PlanScope,
  scanners: ReadonlyMap<number, ScannerFacts>,
): void {
  if (streams.length === 0) {
    const named = new Set(
      parts.flatMap((part) => [...part.scannerIds, ...part.groups.flatMap((g) => g.scannerIds)]),
    );
    const unusable = [...named].map((id) => scanners.get(id)?.name ?? `#${id}`);
    throw refusal(
      "CONFLICT",
      unusable.length === 0
        ? "no scanner is assigned to what is to be scanned"
        : `none of the scanners may scan now: ${unusable.slice(0, 10).join(", ")} (disabled, unapproved or deleted)`,
      { scannerIds: [...named] },
    );
  }
  const cannot = streams.filter(({ vantage }) => vantage.impossible !== undefined);
  if (engine !== "nmap" || cannot.length < streams.length) return;
  const reasons = [...new Set(cannot.map(({ vantage }) => vantage.impossible))];
  throw refusal("CONFLICT", reasons.slice(0, 10).join("; "), {
    scannerIds: [...new Set(cannot.flatMap(({ vantage }) => vantage.scannerIds))],
  });
}

function requireCountable(streams: readonly Stream[]): void {
  let all = 0;
  for (const { scopes } of streams) {
    let probes = 0;
    for (const scope of scopes) probes += countProbes(scope);
    if (probes > MAX_PROBES_PER_JOB) {
      throw refusal("SCOPE_TOO_LARGE", "this is more than 2^48 probes; name fewer addresses or ports");
    }
    all += probes;
  }
  if (!Number.isSafeInteger(all)) {
    throw refusal(
      "SCOPE_TOO_LARGE",
      "this is more probes than can be counted; scan less, or from fewer scanners",
    );
  }
}

/** Networks with the same limit in one stream, which keeps to it as if they were one network. */
function joinedByRate(streams: readonly Stream[]): Stream[] {
  const joined = new Map<string, Stream>();
  for (const { vantage, ratePps, scopes } of streams) {
    const key = [vantage.key, vantage.able.map(({ id }) => id), vantage.impossible, ratePps].join("|");
    const rateKey = ratePps === 0 ? null : `rate:${ratePps}`;
    const stream = joined.get(key) ?? { vantage, ratePps, rateKey, scopes: [] };
    joined.set(key, stream);
    for (const scope of scopes) stream.scopes.push(scope);
  }
  return [...joined.values()];
}

/** Undefined when jobs of so many seconds are too many. */
function splitStreams(
  streams: readonly Stream[],
  scope: PlanScope,
  seconds: number,
): PlannedJob[] | undefined {
  const jobs: PlannedJob[] = [];
  for (const { vantage, ratePps, rateKey, scopes } of streams) {
    const { key: vantageKey, able, impossible } = vantage;
    const limits = able.map(({ rateLimit }) => rateLimit);
    const pps = effectiveRatePps(ratePps, ...limits, RECKONED_PPS[scope.engine]);
    const maxProbes = Math.max(1, Math.floor((pps * seconds) / (1 + scope.options.retries)));
    const scannerIds = able.length > 0 ? able.map(({ id }) => id) : vantage.scannerIds;
    // What nobody can do needs no cutting up.
    for (const part of splitScopes(scopes, impossible === undefined ? maxProbes : MAX_PROBES_PER_JOB)) {
      if (jobs.length === MAX_JOBS_PER_SCAN) return undefined;
      const estimateSeconds = estimate(part.probes, pps, scope);
      jobs.push({ ...part, vantageKey, scannerIds, ratePps, rateKey, estimateSeconds, impossible });
    }
  }
  return jobs;
}

/** With nothing answering, so that every probe is repeated. */
function estimate(probes: number, pps: number, { options }: PlanScope): number {
  const rounds = 1 + options.retries;
  return Math.ceil((probes * rounds) / pps + (rounds * options.portTimeoutMs) / 1_000);
}

/** Probes over all vantage points. */
export function plannedProbes(jobs: readonly PlannedJob[]): number {
  let probes = 0;
  for (const job of jobs) probes += job.probes;
  return probes;
}
