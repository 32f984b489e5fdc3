/** Begins a scan: plans its jobs and stores both, in one transaction with whatever asked for it. */

import type { JobOptions } from "#shared/protocol/job.ts";
import { capabilitiesSchema } from "#shared/protocol/scanner.ts";
import { insertJobs } from "../store/jobs.ts";
import { findScannersById, lockScanners, type ScannerRow } from "../store/scanners.ts";
import { insertScan } from "../store/scans.ts";
import type { Session } from "../store/store.ts";
import { recordAudit } from "./audit.ts";
import { planJobs, plannedProbes } from "./plan-jobs.ts";
import { OWN_RATE_KEY, type PlanScope } from "./planning/plan-scope.ts";
import type { ScannerFacts } from "./planning/vantages.ts";
import { settleScan } from "./scan-outcome.ts";
import { readJson } from "./stored-json.ts";
import { jobTimeoutSeconds } from "./timeouts.ts";

export interface ScanStart extends PlanScope {
  readonly name: string;
  readonly options: JobOptions;
  readonly serviceDetection: boolean;
  readonly priority: number;
  /** What operators are shown of it. */
  readonly targets: readonly string[];
  readonly ports: string;
  readonly maxPps: number;
  readonly templateId: number | null;
  readonly scheduleId: number | null;
  /** What the template was, so that its changes do not reach this scan. */
  readonly snapshot: object | null;
  readonly expected: readonly object[];
}

/**
 * Returns the scan's id.
 * @throws PortolanError what `planJobs` throws
 */
export async function startScan(session: Session, scan: ScanStart, actor: string): Promise<number> {
  const scannerIds = scannersOf(scan);
  // A scanner must not be deleted, and its jobs ended, while it gets a new one.
  const scanners = scannerIds.length === 0 ? [] : await holdScanners(session, scannerIds);
  const jobs = planJobs(scan, new Map(scanners.map((row) => [row.id, factsOf(row)])));
  const probes = plannedProbes(jobs);
  const scanId = await insertScan(session, {
    name: scan.name,
    targets: JSON.stringify(scan.targets),
    ports: scan.ports,
    engine: scan.engine,
    options: JSON.stringify(scan.options),
    max_pps: scan.maxPps,
    probes,
    template_id: scan.templateId,
    schedule_id: scan.scheduleId,
    template_snapshot: scan.snapshot === null ? null : JSON.stringify(scan.snapshot),
    expected: JSON.stringify(scan.expected),
    service_detection: scan.serviceDetection ? 1 : 0,
    priority: scan.priority,
    created_by: actor,
  });
  const { scanTimeoutSeconds } = scan.options;
  const timeout_seconds = jobTimeoutSeconds(scan.engine, scan.serviceDetection, scanTimeoutSeconds);
  await insertJobs(
    session,
    jobs.map((job) => ({
      scan_id: scanId,
      vantageKey: job.vantageKey,
      scannerIds: job.scannerIds,
      targets: JSON.stringify(job.targets),
      probes: job.probes,
      priority: scan.priority,
      rate_pps: job.ratePps,
      rate_key: job.rateKey === OWN_RATE_KEY ? `scan:${scanId}` : job.rateKey,
      estimate_seconds: job.estimateSeconds,
      timeout_seconds,
      impossible: job.impossible,
    })),
  );
  // It may be that nobody can do any of it.
  if (jobs.every(({ impossible }) => impossible !== undefined)) await settleScan(session, scanId);
  const working = new Set(jobs.flatMap((job) => job.scannerIds));
  await recordAudit(session, {
    actor,
    action: "scan.created",
    object: `scan:${scanId}`,
    detail: {
      name: scan.name,
      scannerIds: [...working].slice(0, MAX_IDS_IN_AUDIT),
      passedOver: scannerIds.filter((id) => !working.has(id)).slice(0, MAX_IDS_IN_AUDIT),
      jobs: jobs.length,
      probes,
      ...(scan.templateId === null ? { ports: scan.ports } : { templateId: scan.templateId }),
      ...(scan.scheduleId === null ? {} : { scheduleId: scan.scheduleId }),
    },
  });
  return scanId;
}

const MAX_IDS_IN_AUDIT = 100;

function scannersOf({ parts }: PlanScope): number[] {
  const ids = new Set<number>();
  for (const { scannerIds, groups } of parts) {
    for (const id of scannerIds) ids.add(id);
    for (const group of groups) for (const id of group.scannerIds) ids.add(id);
  }
  return [...ids];
}

async function holdScanners(session: Session, ids: readonly number[]): Promise<ScannerRow[]> {
  await lockScanners(session, ids);
  return findScannersById(session, ids);
}

function factsOf(row: ScannerRow): ScannerFacts {
  return {
    id: row.id,
    name: row.name,
    rateLimit: row.rate_limit,
    capabilities: readJson(capabilitiesSchema, row.capabilities),
    mayWork: row.disabled_at === null && row.unapproved_at === null,
  };
}
