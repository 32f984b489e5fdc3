/** What the control plane asks for, as the engine takes it. */

import { describe, expect, test } from "bun:test";
import { areSameAddresses } from "#shared/net/address-set.ts";
import { parseTargets } from "#shared/net/target-spec.ts";
import { type Job, jobSchema } from "#shared/protocol/job.ts";
import { scanRequestOf, sizeOfTarget } from "./job-request.ts";

const TARGET = { addresses: ["10.0.0.0/30", "10.0.1.1-10.0.1.9"], ports: "22,80-81,U:53" };

function job(overrides: Partial<Job> = {}): Job {
  return jobSchema.parse({
    jobId: 7,
    scanId: 3,
    leaseId: "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5",
    leaseExpiresAt: "2026-01-27T10:30:00.000Z",
    attempt: 1,
    targets: [TARGET],
    maxProbesPerSecond: 20,
    engine: "syn",
    options: { retries: 2, portTimeoutMs: 500, scanTimeoutSeconds: 60, reportStates: ["open", "closed"] },
    ...overrides,
  });
}

describe("scanRequestOf", () => {
  test("takes over targets, ports and options", () => {
    const request = scanRequestOf(job(), TARGET, 15, 60_000);
    expect(areSameAddresses(request.addresses, parseTargets(TARGET.addresses))).toBe(true);
    expect(request).toMatchObject({
      find: "ports",
      tcpPorts: [
        { first: 22, last: 22 },
        { first: 80, last: 81 },
      ],
      udpPorts: [{ first: 53, last: 53 }],
      ratePps: 15,
      retries: 2,
      portTimeoutMs: 500,
      maxRuntimeMs: 60_000,
      link: "auto",
      shard: { index: 0, count: 1 },
      report: ["open", "closed"],
    });
  });

  test("a further target has what time the job has left, and is told when there is none", () => {
    expect(scanRequestOf(job(), TARGET, 0, 1_000).maxRuntimeMs).toBe(1_000);
    expect(scanRequestOf(job(), TARGET, 0, 0).maxRuntimeMs).toBe(1);
  });

  test("uses ordinary connections where they are asked for", () => {
    expect(scanRequestOf(job({ engine: "connect" }), TARGET, 0, 0).link).toBe("connect");
  });

  test("takes UDP ports alone", () => {
    expect(scanRequestOf(job(), { ...TARGET, ports: "U:53,161-162" }, 0, 1)).toMatchObject({
      tcpPorts: [],
      udpPorts: [
        { first: 53, last: 53 },
        { first: 161, last: 162 },
      ],
    });
  });

  test("refuses an engine that is not here", () => {
    expect(() => scanRequestOf(job({ engine: "nmap" }), TARGET, 0, 1)).toThrow(
      expect.objectContaining({ code: "ENGINE_NOT_HERE" }),
    );
  });

  test("has another order of probes each time", () => {
    const seeds = Array.from({ length: 20 }, () => scanRequestOf(job(), TARGET, 0, 0).seed);
    expect(new Set(seeds).size).toBe(20);
    for (const seed of seeds) expect(Number.isSafeInteger(seed)).toBe(true);
  });

  test("refuses what is no target or no port", () => {
    expect(() => scanRequestOf(job(), { ...TARGET, addresses: ["10.0.0.0/33"] }, 0, 0)).toThrow(
      expect.objectContaining({ code: "INVALID_TARGET" }),
    );
    expect(() => scanRequestOf(job(), { ...TARGET, ports: "80,,81" }, 0, 0)).toThrow(
      expect.objectContaining({ code: "INVALID_PORT" }),
    );
  });
});

test("the size of a target counts both protocols, and nothing that is never probed", () => {
  expect(sizeOfTarget(TARGET)).toEqual({ addresses: 13, ports: 4 });
  expect(sizeOfTarget({ addresses: ["223.255.255.254-224.0.0.9"], ports: "1" })).toEqual({
    addresses: 2,
    ports: 1,
  });
});
