import { expect, test } from "bun:test";
import { claimStorm } from "./claim-storm.ts";

test("every job is done once and nothing is lost, though a replica is killed and PostgreSQL crashes", async () => {
  const struck: string[] = [];
  const report = await claimStorm({
    replicas: 2,
    agents: 40,
    jobs: 300,
    candidates: 8,
    disasters: [
      { kind: "kill-replica", afterJobs: 60 },
      { kind: "crash-postgres", afterJobs: 150 },
    ],
    seed: 7,
    timeoutMs: 50_000,
    expireLostLeases: true,
    say: (line) => struck.push(line),
  });
  expect(report.violations).toEqual([]);
  expect(struck.map((line) => line.split(", ").at(-1))).toEqual(["kill-replica", "crash-postgres"]);
  expect(report.retries).toBeGreaterThan(0);
}, 60_000);
