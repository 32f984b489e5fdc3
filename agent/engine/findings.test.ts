/** From records to results: hosts that answer on everything are held back and named, all else is told once. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { HostResult, PortResult } from "#shared/protocol/job.ts";
import { nextCanaryHost } from "./accuracy/canary-queue.ts";
import { Findings, type ResultTaker } from "./findings.ts";
import { reasonCode } from "./packet/reason.ts";
import type { AnswerRecord } from "./records.ts";
import { addressesOf, aPlan } from "./testing/plan.ts";

const PORTS = 40;
const SCAN = { addresses: addressesOf(4), tcpPorts: [{ first: 1, last: PORTS }], portTimeoutMs: 60_000 };
const SYN_ACK = reasonCode("syn-ack");

class Taken implements ResultTaker {
  readonly portResults: PortResult[] = [];
  readonly hostResults: HostResult[] = [];

  ports(results: readonly PortResult[]): void {
    expect(results.length).toBeGreaterThan(0);
    this.portResults.push(...results);
  }

  hosts(results: readonly HostResult[]): void {
    expect(results.length).toBeGreaterThan(0);
    this.hostResults.push(...results);
  }

  of(address: string): number[] {
    return this.portResults.filter((result) => result.address === address).map(({ port }) => port);
  }
}

function record(addressNumber: number, question: number, reason = SYN_ACK): AnswerRecord {
  return { addressNumber, question, reason, ttl: 64, ourPort: 61_000, timeMs: 0 };
}

/** SYN-ACKs of all ports of a host. */
const openHost = (addressNumber: number): AnswerRecord[] =>
  Array.from({ length: PORTS }, (_, question) => record(addressNumber, question));
/** Its answers to canaries. */
const canaries = (addressNumber: number): AnswerRecord[] =>
  [40_000, 40_001].map((port) => record(addressNumber, -1 - port));

describe("a port scan", () => {
  test("an ordinary answer is told at once", async () => {
    const findings = new Findings(aPlan(SCAN));
    const taken = new Taken();
    await findings.tell([], taken);
    await findings.tell([record(2, 4), record(2, 5, reasonCode("reset"))], taken);
    expect(taken.portResults).toMatchObject([
      { address: "10.0.0.2", port: 5, state: "open" },
      { address: "10.0.0.2", port: 6, state: "closed" },
    ]);
    expect(findings.isWaiting()).toBe(false);
  });

  test("a host with many open ports is sent canaries; when they stay silent all is told", async () => {
    const plan = aPlan(SCAN);
    const findings = new Findings(plan);
    const taken = new Taken();
    await findings.tell(openHost(1), taken);
    await findings.decide(taken, false);
    expect(nextCanaryHost(plan.canaries)).toBe(1);
    expect(findings.isWaiting()).toBe(true);
    expect(taken.portResults.length).toBe(8);
    await findings.tell([record(1, -1 - 40_000, reasonCode("reset"))], taken);
    await findings.decide(taken, true);
    expect(taken.of("10.0.0.1")).toEqual(Array.from({ length: PORTS }, (_, i) => i + 1));
    expect(taken.hostResults).toEqual([]);
    expect(findings.withheld()).toBe(0);
  });

  test("when they are answered too, the host is named and nothing more of it is told", async () => {
    const findings = new Findings(aPlan(SCAN));
    const taken = new Taken();
    await findings.tell(openHost(1).slice(0, 20), taken);
    await findings.tell(canaries(1), taken);
    await findings.decide(taken, false);
    await findings.tell(openHost(1).slice(20), taken);
    expect(taken.hostResults).toMatchObject([
      { address: "10.0.0.1", state: "up", reason: "syn-ack", suspicious: "answers-on-every-port" },
    ]);
    expect(taken.portResults.length).toBe(8);
    expect([findings.withheld(), findings.suspiciousHosts()]).toEqual([PORTS - 8, 1]);
  });

  test("in whatever order answers come, each open port is told once or withheld", async () => {
    const hosts = fc.subarray([0, 1, 2, 3]);
    await fc.assert(
      fc.asyncProperty(
        hosts,
        hosts,
        fc.array(fc.nat(), { minLength: 1, maxLength: 50 }),
        async (open, proxies, order) => {
          const all = [...open.flatMap(openHost), ...proxies.flatMap(canaries)];
          const shuffled = all
            .map((one, i) => ({ one, key: Math.imul(order[i % order.length] ?? 0, i + 7) }))
            .toSorted((a, b) => a.key - b.key)
            .map(({ one }) => one);
          const findings = new Findings(aPlan(SCAN));
          const taken = new Taken();
          for (let at = 0; at < shuffled.length; at += 5) {
            await findings.tell(shuffled.slice(at, at + 5), taken);
            await findings.decide(taken, false);
          }
          await findings.decide(taken, true);
          expect(taken.portResults.length + findings.withheld()).toBe(open.length * PORTS);
          const told = taken.portResults.map(({ address, port }) => `${address} ${port}`);
          expect(new Set(told).size).toBe(told.length);
          expect(taken.hostResults.length).toBe(findings.suspiciousHosts());
          for (const { address } of taken.hostResults) expect(proxies).toContain(Number(address.slice(-1)));
        },
      ),
      { numRuns: 50 },
    );
  });

  test("closed ports of a suspect are told all the same", async () => {
    const findings = new Findings(aPlan(SCAN));
    const taken = new Taken();
    await findings.tell([...openHost(0).slice(0, 10), record(0, 20, reasonCode("reset"))], taken);
    expect(taken.portResults.at(-1)).toMatchObject({ port: 21, state: "closed" });
  });

  test("by connections watches nobody: there is no port to send canaries from", async () => {
    const findings = new Findings(aPlan(SCAN, { probing: "connect" }));
    const taken = new Taken();
    await findings.tell(openHost(1), taken);
    expect(taken.portResults.length).toBe(PORTS);
    expect(findings.isWaiting()).toBe(false);
  });

  test("tells silent ports as filtered", async () => {
    const taken = new Taken();
    await new Findings(aPlan(SCAN)).tellSilent([record(0, 0, reasonCode("no-response"))], taken);
    expect(taken.portResults).toMatchObject([{ port: 1, state: "filtered", reason: "no-response" }]);
  });
});

test("host discovery tells who is up, and who is silent as down", async () => {
  const findings = new Findings(aPlan({ ...SCAN, find: "hosts" }));
  const taken = new Taken();
  await findings.tell([record(1, 0, reasonCode("echo-reply"))], taken);
  await findings.tellSilent([record(2, 0, reasonCode("no-response"))], taken);
  await findings.decide(taken, true);
  expect(taken.hostResults).toMatchObject([
    { address: "10.0.0.1", state: "up", reason: "echo-reply" },
    { address: "10.0.0.2", state: "down", reason: "no-response" },
  ]);
  expect(taken.portResults).toEqual([]);
});
