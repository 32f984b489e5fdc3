/** How the time and the progress of a job are divided between finding ports and asking what answers on them. */

import type { JobPhases, ScanEngine } from "#shared/protocol/job.ts";
import { MIN_SERVICE_TIMEOUT_SECONDS, TIMEOUT_GRACE_MS } from "#shared/protocol/limits.ts";

/** nmap's discovery gets this much of the time-out, its service detection the rest. */
const NMAP_DISCOVERY_SHARE = 0.7;
/** Our engine's discovery fills this much of the progress, service detection the rest. */
const HYBRID_DISCOVERY_PROGRESS = 0.75;

/** Undefined where there is one phase only. */
export function jobPhases(
  engine: ScanEngine,
  serviceDetection: boolean,
  timeoutSeconds: number,
): JobPhases | undefined {
  if (engine === "nmap") return nmapPhases(timeoutSeconds);
  if (!serviceDetection) return undefined;
  return {
    // Service detection asks whatever was found until the job's time is over; it has no time of its own.
    discoveryTimeoutSeconds: timeoutSeconds,
    serviceTimeoutSeconds: timeoutSeconds,
    discoveryProgress: HYBRID_DISCOVERY_PROGRESS,
  };
}

/** 70 % and 30 %, the second at least 120 s: then the whole may take longer than the time-out. */
function nmapPhases(timeoutSeconds: number): JobPhases {
  const discoveryTimeoutSeconds = Math.max(1, Math.floor(timeoutSeconds * NMAP_DISCOVERY_SHARE));
  return {
    discoveryTimeoutSeconds,
    serviceTimeoutSeconds: Math.max(MIN_SERVICE_TIMEOUT_SECONDS, timeoutSeconds - discoveryTimeoutSeconds),
    discoveryProgress: NMAP_DISCOVERY_SHARE,
  };
}

/** How long a job may run in all, which is what its agent and the control plane hold it to. */
export function jobTimeoutSeconds(
  engine: ScanEngine,
  serviceDetection: boolean,
  scanTimeoutSeconds: number,
): number {
  if (engine !== "nmap" || !serviceDetection) return scanTimeoutSeconds;
  const { discoveryTimeoutSeconds, serviceTimeoutSeconds } = nmapPhases(scanTimeoutSeconds);
  return discoveryTimeoutSeconds + serviceTimeoutSeconds;
}

/**
 * What to do about a running job whose lease stands. Agents stop by themselves at the time-out; this is for those that
 * do not.
 */
export function timeoutVerdict(runningMs: number, timeoutSeconds: number): "within" | "stop" | "fail" {
  const overMs = runningMs - timeoutSeconds * 1_000;
  if (overMs < TIMEOUT_GRACE_MS) return "within";
  return overMs < 2 * TIMEOUT_GRACE_MS ? "stop" : "fail";
}
