/** Totals of templates, and how long they take. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { parsePorts } from "#shared/net/port-spec.ts";
import { parseTargets } from "#shared/net/target-spec.ts";
import type { PortListScope, SourceScope } from "./template-scope.ts";
import { countVantages, type LimitOf, templateTotals } from "./template-totals.ts";

function source(cidr: string, more: Partial<SourceScope> = {}): SourceScope {
  return {
    source: { kind: "subnet", id: 1, name: cidr },
    addresses: parseTargets([cidr]),
    subnetRatePps: 0,
    scannerIds: [1],
    groups: [],
    ...more,
  };
}

function ports(spec: string, portListRatePps = 0): PortListScope {
  return { portListId: 1, ports: parsePorts(spec), portListRatePps };
}

const unlimited: LimitOf = () => 0;

function seconds(sources: SourceScope[], portLists: PortListScope[], limitOf = unlimited) {
  return templateTotals({ sources, portLists }, limitOf).estimatedSeconds;
}

describe("totals", () => {
  test("count overlapping addresses and ports once", () => {
    const scope = {
      sources: [source("10.0.0.0/24"), source("10.0.0.128/25"), source("2001:db8::/126")],
      portLists: [ports("22,80"), ports("80-81,U:80")],
    };
    expect(templateTotals(scope, unlimited)).toMatchObject({ hosts: 260, ports: 4, probes: 1_040 });
  });

  test("count a scanner of two groups as one vantage point, and the directly assigned as one together", () => {
    const groups = [
      { id: 1, scannerIds: [1, 2] },
      { id: 2, scannerIds: [2, 3] },
    ];
    expect(countVantages(source("10.0.0.0/24", { scannerIds: [4, 5], groups }))).toBe(4);
    expect(countVantages(source("10.0.0.0/24", { scannerIds: [], groups: [] }))).toBe(0);
  });
});

describe("the estimate", () => {
  test("is the probes over the lowest limit that there is", () => {
    const net = source("10.0.0.0/24", { subnetRatePps: 64 });
    expect(seconds([net], [ports("1-10")])).toBe(40);
    expect(seconds([net], [ports("1-10", 32)])).toBe(80);
    expect(seconds([net], [ports("1-10", 32)], () => 16)).toBe(160);
    expect(seconds([net], [ports("1-10", 128)], () => 0)).toBe(40);
  });

  test("is null where some of it has no limit at all", () => {
    const limited = source("10.0.0.0/24", { subnetRatePps: 64 });
    expect(seconds([limited, source("10.1.0.0/24")], [ports("22")])).toBeNull();
    expect(seconds([source("10.1.0.0/24", { scannerIds: [] })], [ports("22")])).toBe(0);
  });

  test("divides a subnet's rate among the members of its group: 600 over 3 is 200 for each", () => {
    const groups = [{ id: 1, scannerIds: [1, 2, 3] }];
    const net = source("10.0.0.0/24", { scannerIds: [], groups, subnetRatePps: 600 });
    expect(seconds([net], [ports("1-100")])).toBe(128);
  });

  test("waits for the slowest member, and adds up what one scanner has to do", () => {
    const groups = [{ id: 1, scannerIds: [1, 2] }];
    const nets = ["10.0.0.0/24", "10.1.0.0/24"].map((cidr) => source(cidr, { scannerIds: [], groups }));
    expect(seconds(nets, [ports("1-100")], (id) => (id === 1 ? 100 : 400))).toBe(512);
  });

  test("lets scanners that stand for each other share the work", () => {
    const net = source("10.0.0.0/24", { scannerIds: [1, 2] });
    expect(seconds([net], [ports("1-100")], () => 100)).toBe(128);
    expect(seconds([net], [ports("1-100", 50)], () => 100)).toBe(512);
    expect(seconds([net], [ports("1-100")], (id) => (id === 1 ? 100 : 0))).toBeNull();
  });

  test("never falls when a limit is lowered", () => {
    const rate = fc.integer({ min: 1, max: 1_000 });
    fc.assert(
      fc.property(rate, rate, rate, rate, (subnet, list, scanner, lower) => {
        const estimate = (limit: number) =>
          seconds([source("10.0.0.0/26", { subnetRatePps: subnet })], [ports("1-9", list)], () => limit) ?? 0;
        expect(estimate(Math.min(scanner, lower))).toBeGreaterThanOrEqual(estimate(scanner));
        expect(estimate(scanner)).toBe(Math.ceil((64 * 9) / Math.min(subnet, list, scanner)));
      }),
    );
  });
});
