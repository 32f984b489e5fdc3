/** Which jobs count as stuck, why, and what may be done about each. Computation only. */

import type { JobRepair, StuckClass } from "#shared/protocol/job-administration.ts";
import type { JobStatus } from "#shared/protocol/job.ts";
import {
  MIN_ESTIMATE_SECONDS,
  STUCK_AGE_MS,
  STUCK_ASSIGNED_MS,
  STUCK_PENDING_MS,
  STUCK_RUNNING_FACTOR,
  STUCK_SILENT_MS,
} from "#shared/protocol/limits.ts";

/** The scanner that has the job; or one of those that may take it. */
export interface StuckScannerFacts {
  readonly isDisabled: boolean;
  /** Null: it has never sent a heartbeat, and is not missed. */
  readonly lastHeartbeatAtMs: number | null;
  /** Its calls are refused because of where they come from. */
  readonly isElsewhere: boolean;
  /** Its calls are refused, or would be, because its agent is too old. */
  readonly isOutdated: boolean;
}

export interface StuckFacts {
  readonly status: JobStatus;
  readonly nowMs: number;
  readonly createdAtMs: number;
  readonly pendingSinceMs: number;
  readonly assignedAtMs: number | null;
  readonly startedAtMs: number | null;
  readonly estimateSeconds: number;
  /** Of a pending job all that may take it, else the one that has it. */
  readonly scanners: readonly StuckScannerFacts[];
}

const REPAIRS: Readonly<Record<StuckClass, readonly JobRepair[]>> = {
  stuck_pending: ["redispatch", "fail"],
  stuck_assigned: ["redispatch", "fail"],
  stuck_running: ["fail"],
  no_heartbeat: ["reassign", "fail"],
  expired: ["fail"],
  scanner_disabled: ["reassign", "fail"],
  binding_changed: ["reassign", "fail"],
  agent_outdated: ["reassign", "fail"],
};

/** Every class that the job is in; none when it is not stuck, or has ended. */
export function stuckClasses(job: StuckFacts): StuckClass[] {
  const { status, nowMs, scanners } = job;
  const isHeld = status === "assigned" || status === "running";
  if (!isHeld && status !== "pending") return [];
  const isLonger = (sinceMs: number | null, ms: number): boolean => sinceMs !== null && nowMs - sinceMs > ms;
  const all = (isSo: (scanner: StuckScannerFacts) => boolean): boolean =>
    scanners.length > 0 && scanners.every(isSo);
  const expectedMs = Math.max(job.estimateSeconds, MIN_ESTIMATE_SECONDS) * 1_000;
  const is: Readonly<Record<StuckClass, boolean>> = {
    stuck_pending: status === "pending" && isLonger(job.pendingSinceMs, STUCK_PENDING_MS),
    stuck_assigned: status === "assigned" && isLonger(job.assignedAtMs, STUCK_ASSIGNED_MS),
    stuck_running: status === "running" && isLonger(job.startedAtMs, STUCK_RUNNING_FACTOR * expectedMs),
    no_heartbeat: isHeld && all(({ lastHeartbeatAtMs }) => isLonger(lastHeartbeatAtMs, STUCK_SILENT_MS)),
    expired: isLonger(job.createdAtMs, STUCK_AGE_MS),
    scanner_disabled: all(({ isDisabled }) => isDisabled),
    binding_changed: all(({ isElsewhere }) => isElsewhere),
    agent_outdated: all(({ isOutdated }) => isOutdated),
  };
  return CLASSES.filter((name) => is[name]);
}

const CLASSES: readonly StuckClass[] = [
  "stuck_pending",
  "stuck_assigned",
  "stuck_running",
  "no_heartbeat",
  "expired",
  "scanner_disabled",
  "binding_changed",
  "agent_outdated",
];

/** @param hasOthers whether another scanner of the vantage point may take it: only then can it be reassigned */
export function repairsOf(classes: readonly StuckClass[], hasOthers: boolean): JobRepair[] {
  const offered = new Set(classes.flatMap((name) => REPAIRS[name]));
  if (!hasOthers) offered.delete("reassign");
  return (["redispatch", "reassign", "fail"] as const).filter((repair) => offered.has(repair));
}
