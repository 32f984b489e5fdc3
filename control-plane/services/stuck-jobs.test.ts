import { describe, expect, test } from "bun:test";
import { MIN_ESTIMATE_SECONDS } from "#shared/protocol/limits.ts";
import { repairsOf, stuckClasses, type StuckFacts, type StuckScannerFacts } from "./stuck-jobs.ts";

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;

const healthy: StuckScannerFacts = {
  isDisabled: false,
  lastHeartbeatAtMs: NOW,
  isElsewhere: false,
  isOutdated: false,
};

function facts(changes: Partial<StuckFacts>): StuckFacts {
  return {
    status: "pending",
    nowMs: NOW,
    createdAtMs: NOW,
    pendingSinceMs: NOW,
    assignedAtMs: null,
    startedAtMs: null,
    estimateSeconds: 180,
    scanners: [healthy],
    ...changes,
  };
}

describe("a job is stuck beyond each limit, and not at it:", () => {
  const silent = (ms: number): StuckScannerFacts[] => [{ ...healthy, lastHeartbeatAtMs: NOW - ms }];
  test.each([
    ["pending > 15 min", "stuck_pending", 15 * MINUTE, (ms: number) => facts({ pendingSinceMs: NOW - ms })],
    [
      "assigned and not running > 5 min",
      "stuck_assigned",
      5 * MINUTE,
      (ms: number) => facts({ status: "assigned", assignedAtMs: NOW - ms }),
    ],
    [
      "running > 3 × the estimate",
      "stuck_running",
      3 * 180_000,
      (ms: number) => facts({ status: "running", startedAtMs: NOW - ms }),
    ],
    [
      "running > 3 × the least estimate",
      "stuck_running",
      3_000 * MIN_ESTIMATE_SECONDS,
      (ms: number) => facts({ status: "running", startedAtMs: NOW - ms, estimateSeconds: 1 }),
    ],
    [
      "no heartbeat > 4 min",
      "no_heartbeat",
      4 * MINUTE,
      (ms: number) => facts({ status: "running", startedAtMs: NOW, scanners: silent(ms) }),
    ],
    ["older than 24 h", "expired", 24 * 60 * MINUTE, (ms: number) => facts({ createdAtMs: NOW - ms })],
  ] as const)("%s", (_, name, limitMs, factsAfter) => {
    expect(stuckClasses(factsAfter(limitMs))).toEqual([]);
    expect(stuckClasses(factsAfter(limitMs + 1))).toEqual([name]);
  });

  test.each([
    ["scanner disabled", "scanner_disabled", { isDisabled: true }],
    ["binding changed", "binding_changed", { isElsewhere: true }],
    ["agent too old", "agent_outdated", { isOutdated: true }],
  ] as const)("%s", (_, name, change) => {
    for (const status of ["pending", "assigned", "running"] as const) {
      expect(stuckClasses(facts({ status, scanners: [{ ...healthy, ...change }] }))).toEqual([name]);
      expect(stuckClasses(facts({ status }))).toEqual([]);
    }
    // While one of them may take it, it is not stuck.
    expect(stuckClasses(facts({ scanners: [{ ...healthy, ...change }, healthy] }))).toEqual([]);
  });
});

test("a scanner that has never sent a heartbeat is not missed", () => {
  const scanners = [{ ...healthy, lastHeartbeatAtMs: null }];
  expect(stuckClasses(facts({ status: "assigned", assignedAtMs: NOW, scanners }))).toEqual([]);
});

test("a job that nobody has does not miss heartbeats", () => {
  expect(stuckClasses(facts({ scanners: [{ ...healthy, lastHeartbeatAtMs: 0 }] }))).toEqual([]);
});

test("a job that has ended is never stuck, and one may be stuck in more ways than one", () => {
  const old = { createdAtMs: 0, pendingSinceMs: 0, nowMs: 100 * 24 * 60 * MINUTE };
  for (const status of ["completed", "failed", "cancelled"] as const) {
    expect(stuckClasses(facts({ ...old, status }))).toEqual([]);
  }
  expect(stuckClasses(facts({ ...old, scanners: [{ ...healthy, isDisabled: true }] }))).toEqual([
    "stuck_pending",
    "expired",
    "scanner_disabled",
  ]);
});

test.each([
  ["stuck_pending", ["redispatch", "fail"]],
  ["stuck_assigned", ["redispatch", "fail"]],
  ["stuck_running", ["fail"]],
  ["no_heartbeat", ["reassign", "fail"]],
  ["expired", ["fail"]],
  ["scanner_disabled", ["reassign", "fail"]],
  ["binding_changed", ["reassign", "fail"]],
  ["agent_outdated", ["reassign", "fail"]],
] as const)("%s is repaired by %j", (name, repairs) => {
  expect(repairsOf([name], true)).toEqual([...repairs]);
  expect(repairsOf([name], false)).toEqual(repairs.filter((repair) => repair !== "reassign"));
});

test("a job that is not stuck is not repaired", () => {
  expect(repairsOf([], true)).toEqual([]);
});
