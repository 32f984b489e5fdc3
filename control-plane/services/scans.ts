/** Scans: started by an operator, one job for each scanner, followed and cancelled. */

import type { z } from "zod";
import type { Log } from "#shared/log.ts";
import type { ScanProgress } from "#shared/protocol/administration.ts";
import type { JobOptions } from "#shared/protocol/job.ts";
import type { ScanView, scanCreateRequestSchema } from "#shared/protocol/operator.ts";
import { cancelPendingJobs, insertJobs, listJobsOfScans } from "../store/jobs.ts";
import { countResults, listResults, type ResultFilter, type ResultRow } from "../store/results.ts";
import { listScanLogs, type ScanLogRow } from "../store/scan-logs.ts";
import { findScannersById, lockScanners, type ScannerRow } from "../store/scanners.ts";
import { findScan, insertScan, listScans, lockScan, requestCancel, type ScanRow } from "../store/scans.ts";
import type { Session, Store } from "../store/store.ts";
import { scannerVantage } from "../store/vantages.ts";
import { recordAudit } from "./audit.ts";
import type { JobBell } from "./job-bell.ts";
import { type Page, pageOf } from "./page.ts";
import { refusal } from "./refusal.ts";
import { settleScan } from "./scan-outcome.ts";
import { resolveTargets } from "./scan-targets.ts";
import { scanListItem, type ScanListItem, scanProgress, scanView } from "./scan-view.ts";

export type ScanRequest = z.output<typeof scanCreateRequestSchema>;

export class Scans {
  private readonly store: Store;
  private readonly log: Log;
  private readonly bell: JobBell;

  constructor(store: Store, log: Log, bell: JobBell) {
    this.store = store;
    this.log = log;
    this.bell = bell;
  }

  /** @throws PortolanError INVALID_TARGET, SCOPE_TOO_LARGE, INVALID_PORT, NOT_FOUND and CONFLICT for the scanners */
  async create(request: ScanRequest, actor: string): Promise<ScanView> {
    const { target, probes } = resolveTargets(request.targets, request.exclude, request.ports);
    const scannerIds = [...new Set(request.scannerIds)];
    const allProbes = probes * scannerIds.length;
    if (!Number.isSafeInteger(allProbes)) {
      throw refusal(
        "INVALID_REQUEST",
        "this is more probes than can be counted; scan less from fewer scanners",
      );
    }
    const options: JobOptions = {
      retries: request.retries,
      portTimeoutMs: request.portTimeoutMs,
      scanTimeoutSeconds: request.scanTimeoutSeconds,
      reportStates: request.reportStates,
    };
    const view = await this.store.transaction(async (session) => {
      // A scanner must not be deleted, and its jobs ended, while it gets a new one.
      await lockScanners(session, scannerIds);
      requireUsable(scannerIds, await findScannersById(session, scannerIds));
      const scanId = await insertScan(session, {
        name: request.name,
        targets: JSON.stringify(request.targets),
        ports: target.ports,
        engine: request.engine,
        options: JSON.stringify(options),
        max_pps: request.maxProbesPerSecond,
        probes: allProbes,
        created_by: actor,
      });
      const targets = JSON.stringify([target]);
      await insertJobs(
        session,
        scannerIds.map((id) => ({
          scan_id: scanId,
          vantageKey: scannerVantage(id),
          scannerIds: [id],
          targets,
          probes,
        })),
      );
      const scan = await viewScan(session, await requireScan(session, scanId));
      await recordAudit(session, {
        actor,
        action: "scan.created",
        object: `scan:${scanId}`,
        detail: { name: request.name, scannerIds, ports: target.ports, probes: allProbes },
      });
      return scan;
    });
    this.bell.ring(scannerIds);
    this.log.info("scan.created", `Scan ${view.id} was started`, {
      scanId: view.id,
      actor,
      probes: allProbes,
    });
    return view;
  }

  /** @throws PortolanError NOT_FOUND */
  async get(id: number): Promise<ScanView> {
    return this.store.run(async (session) => viewScan(session, await requireScan(session, id)));
  }

  /** @throws PortolanError NOT_FOUND */
  async progress(id: number): Promise<ScanProgress> {
    return this.store.run(async (session) => {
      const scan = await requireScan(session, id);
      const counts = await countResults(session, [id]);
      return scanProgress(scan, await listJobsOfScans(session, [id]), counts.get(id) ?? 0);
    });
  }

  /** Newest first. */
  async list(limit: number, cursor: number | undefined): Promise<Page<ScanListItem>> {
    return this.store.run(async (session) => {
      const { rows, nextCursor } = pageOf(
        await listScans(session, { limit: limit + 1, before: cursor }),
        limit,
      );
      const ids = rows.map(({ id }) => id);
      const jobs = Map.groupBy(await listJobsOfScans(session, ids), (job) => job.scan_id);
      const counts = await countResults(session, ids);
      const views = rows.map((scan) => scanListItem(scan, jobs.get(scan.id) ?? [], counts.get(scan.id) ?? 0));
      return { rows: views, nextCursor };
    });
  }

  /**
   * Jobs nobody claimed end at once; the others when their scanners have heard of it. A scan that has ended stays as
   * it is.
   * @throws PortolanError NOT_FOUND
   */
  async cancel(id: number, actor: string): Promise<ScanView> {
    const view = await this.store.transaction(async (session) => {
      await lockScan(session, id);
      const scan = await requireScan(session, id);
      if (scan.ended_at === null) {
        await requestCancel(session, id);
        await cancelPendingJobs(session, id);
        await settleScan(session, id);
      }
      const cancelled = await viewScan(session, await requireScan(session, id));
      await recordAudit(session, { actor, action: "scan.cancel-requested", object: `scan:${id}` });
      return cancelled;
    });
    this.log.info("scan.cancel-requested", `Scan ${id} is to be cancelled`, { scanId: id, actor });
    return view;
  }

  /** @throws PortolanError NOT_FOUND */
  async results(id: number, filter: ResultFilter, limit: number, cursor = 0): Promise<Page<ResultRow>> {
    return this.store.run(async (session) => {
      await requireScan(session, id);
      return pageOf(await listResults(session, id, filter, { limit: limit + 1, after: cursor }), limit);
    });
  }

  /** @throws PortolanError NOT_FOUND */
  async logs(id: number, limit: number, cursor = 0): Promise<Page<ScanLogRow>> {
    return this.store.run(async (session) => {
      await requireScan(session, id);
      return pageOf(await listScanLogs(session, id, { limit: limit + 1, after: cursor }), limit);
    });
  }
}

function requireUsable(wanted: readonly number[], found: readonly ScannerRow[]): void {
  const unknown = wanted.filter((id) => !found.some((scanner) => scanner.id === id));
  if (unknown.length > 0)
    throw refusal("NOT_FOUND", `no scanner ${unknown.join(", ")}`, { scannerIds: unknown });
  const disabled = found.filter((scanner) => scanner.disabled_at !== null);
  if (disabled.length === 0) return;
  const names = disabled.map((scanner) => `'${scanner.name}'`).join(", ");
  throw refusal("CONFLICT", `disabled scanners get no jobs: ${names}`, {
    scannerIds: disabled.map(({ id }) => id),
  });
}

async function requireScan(session: Session, id: number): Promise<ScanRow> {
  const scan = await findScan(session, id);
  if (scan === undefined) throw refusal("NOT_FOUND", `no scan ${id}`);
  return scan;
}

async function viewScan(session: Session, scan: ScanRow): Promise<ScanView> {
  const jobs = await listJobsOfScans(session, [scan.id]);
  const counts = await countResults(session, [scan.id]);
  return scanView(scan, jobs, counts.get(scan.id) ?? 0);
}
