/** What the control plane asks for, as the engine takes it. */

import { describe, expect, test } from "bun:test";
import { type Job, jobSchema } from "#shared/protocol/job.ts";
import { scanRequestOf } from "./job-request.ts";

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
    expect(scanRequestOf(job(), TARGET, 15, 0)).toMatchObject({
      addresses: {
        v4: [
          { first: 0x0a00_0000, last: 0x0a00_0003 },
          { first: 0x0a00_0101, last: 0x0a00_0109 },
        ],
        v6: [],
      },
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
    expect(scanRequestOf(job(), TARGET, 0, 59_000).maxRuntimeMs).toBe(1_000);
    expect(scanRequestOf(job(), TARGET, 0, 90_000).maxRuntimeMs).toBe(1);
  });

  test("uses ordinary connections where they are asked for", () => {
    expect(scanRequestOf(job({ engine: "connect" }), TARGET, 0, 0).link).toBe("connect");
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
