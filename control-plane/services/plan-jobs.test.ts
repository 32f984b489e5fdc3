import { describe, expect, setDefaultTimeout, test } from "bun:test";
import * as fc from "fast-check";
import { ipv4RangesOf, ipv6RangesOf } from "#shared/net/address-ranges.ts";
import { addressSetOf, countAddresses } from "#shared/net/address-set.ts";
import { countPorts, parsePorts } from "#shared/net/port-spec.ts";
import { parseTargets } from "#shared/net/target-spec.ts";
import { jobTargetSchema } from "#shared/protocol/job.ts";
import {
  JOB_TARGET_SECONDS,
  MAX_JOBS_PER_SCAN,
  MAX_TARGET_RANGES,
  MAX_TARGETS_PER_JOB,
} from "#shared/protocol/limits.ts";
import { PortolanError } from "#shared/errors.ts";
import { type PlannedJob, planJobs } from "./plan-jobs.ts";
import type { PlanPart, PlanScope } from "./planning/plan-scope.ts";
import type { ScannerFacts } from "./planning/vantages.ts";

// Many cases, on a machine that may be busy.
setDefaultTimeout(60_000);

function scanner(id: number, changes: Partial<ScannerFacts> = {}): ScannerFacts {
  return { id, name: `s${id}`, rateLimit: 0, capabilities: [], mayWork: true, ...changes };
}

function scannersOf(...facts: ScannerFacts[]): ReadonlyMap<number, ScannerFacts> {
  return new Map(facts.map((one) => [one.id, one]));
}

let ids = 0;
function part(targets: string, ports: string, changes: Partial<PlanPart> = {}): PlanPart {
  const id = ++ids;
  return {
    source: { kind: "subnet", id, name: `net-${id}` },
    portListId: 1,
    addresses: parseTargets([targets]),
    ports: parsePorts(ports),
    subnetRatePps: 0,
    portListRatePps: 0,
    scannerIds: [1],
    groups: [],
    ...changes,
  };
}

function scope(parts: readonly PlanPart[], changes: Partial<PlanScope> = {}): PlanScope {
  return { engine: "syn", options: { retries: 0, portTimeoutMs: 1_000 }, parts, ...changes };
}

/** Each `address protocol port` that the jobs name, as often as they do. For small scopes. */
function endpointsOf(jobs: readonly Pick<PlannedJob, "targets">[]): string[] {
  return jobs.flatMap(({ targets }) =>
    targets.flatMap(({ addresses, ports }) => pairs(parseTargets(addresses), parsePorts(ports))),
  );
}

function pairs(addresses: PlanPart["addresses"], ports: PlanPart["ports"]): string[] {
  const hosts: string[] = [];
  for (const { first, last } of ipv4RangesOf(addresses.v4)) {
    for (let at = first; at <= last; at++) hosts.push(String(at));
  }
  for (const { first, last } of ipv6RangesOf(addresses.v6)) {
    for (let at = first; at <= last; at++) hosts.push(`v6-${at}`);
  }
  const numbers = (["tcp", "udp"] as const).flatMap((protocol) =>
    ports[protocol].flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, i) => `${protocol} ${first + i}`),
    ),
  );
  return hosts.flatMap((host) => numbers.map((port) => `${host} ${port}`));
}

const v4Base = 0x0a00_0000;
const v6Base = 0x2001_0db8n << 96n;
const range = fc
  .record({ from: fc.integer({ min: 0, max: 40 }), size: fc.integer({ min: 1, max: 20 }) })
  .map(({ from, size }) => ({ first: from, last: from + size - 1 }));
const addresses = fc
  .record({ v4: fc.array(range, { minLength: 1, maxLength: 3 }), v6: fc.array(range, { maxLength: 1 }) })
  .map(({ v4, v6 }) =>
    addressSetOf(
      v4.map(({ first, last }) => ({ first: v4Base + first, last: v4Base + last })),
      v6.map(({ first, last }) => ({ first: v6Base + BigInt(first), last: v6Base + BigInt(last) })),
    ),
  );
const ports = fc
  .array(fc.constantFrom("T:1-12", "T:5,7", "T:10-20", "U:5-9", "U:1,T:22", "T:1-3,U:2-6"), {
    minLength: 1,
    maxLength: 2,
  })
  .map((texts) => parsePorts(texts.join()));
const limit = fc.constantFrom(0, 1, 2, 3, 10, 100);
const someScanners = fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { maxLength: 3 });

const parts = fc
  .array(
    fc.record({
      addresses,
      ports,
      subnetRatePps: fc.oneof(limit, fc.constant(600)),
      portListRatePps: limit,
      scannerIds: someScanners,
      groups: fc.array(
        someScanners.map((scannerIds) => ({ scannerIds })),
        { maxLength: 2 },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((drafts) =>
    drafts.map((draft, index): PlanPart => ({
      ...draft,
      source: { kind: "subnet", id: index + 1, name: `net-${index}` },
      portListId: index + 1,
    })),
  )
  .filter((all) =>
    all.some(({ scannerIds, groups }) => scannerIds.length + groups.flatMap((g) => g.scannerIds).length > 0),
  );

const four = fc
  .array(limit, { minLength: 4, maxLength: 4 })
  .map((limits) => scannersOf(...limits.map((rateLimit, index) => scanner(index + 1, { rateLimit }))));

/** The vantage points of a part, told by hand. */
function vantagesByHand({ source, scannerIds, groups }: PlanPart): string[] {
  const members = groups.flatMap((group) => group.scannerIds).map((id) => `scanner:${id}`);
  const pool =
    scannerIds.length === 0
      ? []
      : scannerIds.length === 1
        ? [`scanner:${scannerIds[0]}`]
        : [`subnet:${source.id}`];
  return [...new Set([...members, ...pool])];
}

describe("planned jobs", () => {
  test("cover what each scanner looks at exactly once, and nothing else", () => {
    fc.assert(
      fc.property(parts, four, (all, scanners) => {
        const jobs = planJobs(scope(all), scanners);
        // Pools of the same scanners share what overlaps: together they are looked at as one.
        const lookers = Map.groupBy(jobs, (job) => job.scannerIds.toSorted().join());
        const wanted = new Map<string, Set<string>>();
        for (const one of all) {
          for (const key of vantagesByHand(one)) {
            const who = key.startsWith("scanner:") ? key.slice(8) : one.scannerIds.toSorted().join();
            const known = wanted.get(who) ?? new Set();
            wanted.set(who, known);
            for (const pair of pairs(one.addresses, one.ports)) known.add(pair);
          }
        }
        expect([...lookers.keys()].toSorted()).toEqual([...wanted.keys()].toSorted());
        for (const [who, own] of lookers) {
          const covered = endpointsOf(own);
          expect(new Set(covered).size).toBe(covered.length);
          expect(covered.toSorted()).toEqual([...(wanted.get(who) ?? [])].toSorted());
          expect(own.reduce((sum, job) => sum + job.probes, 0)).toBe(covered.length);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("go no faster than any limit of what they scan, and no slower than the lowest", () => {
    fc.assert(
      fc.property(parts, four, (all, scanners) => {
        for (const job of planJobs(scope(all), scanners)) {
          const own = new Set(endpointsOf([job]));
          const limits = all
            .filter((one) => vantagesByHand(one).some((key) => key === job.vantageKey || isPoolOf(one, job)))
            .filter((one) => pairs(one.addresses, one.ports).some((pair) => own.has(pair)))
            .map((one) => {
              const share =
                one.subnetRatePps === 0
                  ? 0
                  : Math.max(1, Math.floor(one.subnetRatePps / vantagesByHand(one).length));
              return Math.min(share || Infinity, one.portListRatePps || Infinity);
            });
          const lowest = Math.min(...limits);
          expect(job.ratePps || Infinity).toBe(lowest);
          expect(job.ratePps === 0 || job.rateKey !== null).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("last a few minutes, as long as an address with one port does", () => {
    fc.assert(
      fc.property(parts, four, fc.integer({ min: 0, max: 3 }), (all, scanners, retries) => {
        const options = { retries, portTimeoutMs: 1_000 };
        for (const job of planJobs(scope(all, { options }), scanners)) {
          expect(job.probes).toBeGreaterThan(0);
          expect(job.estimateSeconds).toBeLessThanOrEqual(JOB_TARGET_SECONDS + (1 + retries) + 1);
          expect(job.targets.length).toBeLessThanOrEqual(MAX_TARGETS_PER_JOB);
          for (const target of job.targets) expect(jobTargetSchema.safeParse(target).success).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  function isPoolOf(one: PlanPart, job: PlannedJob): boolean {
    return one.scannerIds.length > 1 && one.scannerIds.toSorted().join() === job.scannerIds.toSorted().join();
  }
});

describe("a scanner group", () => {
  test("has a vantage point for each member; the subnet's 600 probes/s become 200 each", () => {
    const scanners = scannersOf(scanner(1), scanner(2), scanner(3));
    const group = part("10.0.0.0/24", "80", {
      subnetRatePps: 600,
      scannerIds: [],
      groups: [{ scannerIds: [1, 2] }, { scannerIds: [2, 3] }],
    });
    const jobs = planJobs(scope([group]), scanners);
    expect(jobs.map(({ vantageKey, scannerIds, ratePps }) => [vantageKey, scannerIds, ratePps])).toEqual([
      ["scanner:1", [1], 200],
      ["scanner:2", [2], 200],
      ["scanner:3", [3], 200],
    ]);
  });

  test("is passed over by members that may not work; the others share all of the rate", () => {
    const scanners = scannersOf(scanner(1), scanner(2, { mayWork: false }));
    const group = part("10.0.0.1", "80", {
      subnetRatePps: 600,
      scannerIds: [],
      groups: [{ scannerIds: [1, 2] }],
    });
    expect(planJobs(scope([group]), scanners)).toMatchObject([{ vantageKey: "scanner:1", ratePps: 600 }]);
  });

  test("beside a pool: the pool is one vantage point, its scanners stand for each other", () => {
    const scanners = scannersOf(scanner(1), scanner(2), scanner(3));
    const both = part("10.0.0.1", "80", {
      subnetRatePps: 90,
      scannerIds: [1, 2],
      groups: [{ scannerIds: [3] }],
    });
    expect(planJobs(scope([both]), scanners)).toMatchObject([
      { vantageKey: "scanner:3", scannerIds: [3], ratePps: 45 },
      { vantageKey: `subnet:${both.source.id}`, scannerIds: [1, 2], ratePps: 45 },
    ]);
  });
});

describe("overlapping networks", () => {
  test("are scanned once, what they share at the lowest limit", () => {
    const wide = part("10.0.0.0/24", "80,443", { subnetRatePps: 1_000 });
    const narrow = part("10.0.0.0/28", "80", { subnetRatePps: 10 });
    const jobs = planJobs(scope([wide, narrow]), scannersOf(scanner(1)));
    expect(jobs.map(({ ratePps, probes, rateKey }) => [ratePps, probes, rateKey])).toEqual([
      [10, 16, `subnet:${narrow.source.id}`],
      [1_000, 496, `subnet:${wide.source.id}`],
    ]);
  });
});

describe("splitting", () => {
  test("cuts large scopes by address, and the ports of one address where they are too many", () => {
    const slow = scannersOf(scanner(1, { rateLimit: 100 }));
    const perJob = 100 * JOB_TARGET_SECONDS;
    const wide = planJobs(scope([part("10.0.0.0/16", "80")]), slow);
    expect(wide).toHaveLength(Math.ceil(65_536 / perJob));
    const deep = planJobs(scope([part("10.0.0.1", "1-65535")]), slow);
    expect(deep).toHaveLength(Math.ceil(65_535 / perJob));
    expect(deep.every(({ targets }) => targets.every(({ addresses: texts }) => texts.length === 1))).toBe(
      true,
    );
  });

  test("puts many small networks into few jobs, and keeps to what a job may hold", () => {
    const web = { ports: parsePorts("80") };
    const nets = Array.from({ length: 50_000 }, (_, i) => part(`10.${i >> 8}.${i & 255}.0/30`, "80", web));
    const jobs = planJobs(scope(nets), scannersOf(scanner(1)));
    expect(jobs.length).toBeLessThan(60);
    expect(jobs.reduce((sum, { probes }) => sum + probes, 0)).toBe(200_000);
    for (const { targets } of jobs) {
      const ranges = targets.reduce((sum, target) => sum + target.addresses.length, 0);
      expect([targets.length <= MAX_TARGETS_PER_JOB, ranges <= MAX_TARGET_RANGES]).toEqual([true, true]);
    }
  });

  test("never makes more jobs than a scan may have: then they last longer", () => {
    const jobs = planJobs(scope([part("2001:db8::/80", "80")]), scannersOf(scanner(1)));
    expect(jobs.length).toBeLessThanOrEqual(MAX_JOBS_PER_SCAN);
    expect(jobs.reduce((sum, { probes }) => sum + probes, 0)).toBe(2 ** 48);
  });

  test("puts limited networks together at one rate when each by itself would be too many jobs", () => {
    const nets = Array.from({ length: MAX_JOBS_PER_SCAN + 1 }, (_, i) =>
      part(`10.${i >> 8}.${i & 255}.1`, "80", { subnetRatePps: 50 }),
    );
    const jobs = planJobs(scope(nets), scannersOf(scanner(1)));
    expect(jobs.every(({ ratePps, rateKey }) => ratePps === 50 && rateKey === "rate:50")).toBe(true);
    expect(new Set(endpointsOf(jobs)).size).toBe(MAX_JOBS_PER_SCAN + 1);
  });
});

describe("what nobody can do", () => {
  const ipv6 = part("2001:db8::1", "80");
  const both = part("10.0.0.1,2001:db8::2", "80");
  const reported = ["syn", "ipv4"];

  test("IPv6 without IPv6 connectivity fails and says so; the IPv4 part is done", () => {
    const jobs = planJobs(scope([both]), scannersOf(scanner(1, { capabilities: reported })));
    expect(jobs).toMatchObject([
      { probes: 1, impossible: undefined },
      { probes: 1, impossible: "no IPv6 connectivity on 's1'" },
    ]);
  });

  test("IPv6 goes to those of a pool that have it, and to whoever does not say", () => {
    const able = scanner(2, { capabilities: [...reported, "ipv6"] });
    const pool = { ...both, scannerIds: [1, 2, 3] };
    const scanners = scannersOf(scanner(1, { capabilities: reported }), able, scanner(3));
    expect(planJobs(scope([pool]), scanners).map(({ scannerIds, probes }) => [scannerIds, probes])).toEqual([
      [[1, 2, 3], 1],
      [[2, 3], 1],
    ]);
    expect(planJobs(scope([ipv6]), scannersOf(scanner(1)))).toMatchObject([{ impossible: undefined }]);
  });

  test("nmap is for scanners that have it: without, a scan is refused and one vantage point fails, named", () => {
    const pair = part("10.0.0.1", "80", { scannerIds: [], groups: [{ scannerIds: [1, 2] }] });
    const nmap = scope([pair], { engine: "nmap" });
    expect(refusalOf(() => planJobs(nmap, scannersOf(scanner(1), scanner(2))))).toEqual([
      "CONFLICT",
      "nmap is not installed on 's1'; nmap is not installed on 's2'",
    ]);
    const jobs = planJobs(nmap, scannersOf(scanner(1, { capabilities: ["nmap"] }), scanner(2)));
    expect(jobs).toMatchObject([{ impossible: undefined }, { impossible: "nmap is not installed on 's2'" }]);
  });

  test("UDP is not for 'connect'", () => {
    const udp = [part("10.0.0.1", "80,U:53")];
    expect(refusalOf(() => planJobs(scope(udp, { engine: "connect" }), scannersOf(scanner(1))))[0]).toBe(
      "INVALID_PORT",
    );
    expect(planJobs(scope(udp), scannersOf(scanner(1)))).toMatchObject([{ targets: [{ ports: "80,U:53" }] }]);
  });

  test("a scope that nobody may scan is refused, naming them", () => {
    const asleep = scannersOf(scanner(1, { mayWork: false }));
    expect(refusalOf(() => planJobs(scope([ipv6]), asleep))).toEqual([
      "CONFLICT",
      "none of the scanners may scan now: s1 (disabled, unapproved or deleted)",
    ]);
  });

  test("more than 2^48 probes are refused", () => {
    const vast = scope([part("2001:db8::/80", "1-2")]);
    expect(refusalOf(() => planJobs(vast, scannersOf(scanner(1))))[0]).toBe("SCOPE_TOO_LARGE");
    expect(
      countAddresses(vast.parts[0]?.addresses ?? addressSetOf([], [])) * countPorts(parsePorts("1-2")),
    ).toBe(2 ** 49);
  });

  function refusalOf(work: () => unknown): [string, string] {
    try {
      work();
    } catch (error) {
      if (error instanceof PortolanError) return [error.code, error.message];
      throw error;
    }
    throw new Error("it was not refused");
  }
});
