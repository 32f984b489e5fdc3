/** Scans: started by an operator, followed and cancelled. What they become is in `scan-requests.ts` and `scan-start.ts`. */

import type { Log } from "#shared/log.ts";
import type { ScanProgress } from "#shared/protocol/administration.ts";
import { MAX_JOBS_SHOWN } from "#shared/protocol/limits.ts";
import type { ScanView, TemplateScanRequest } from "#shared/protocol/operator.ts";
import { listJobsOfScan, sumJobs } from "../store/job-list.ts";
import { cancelPendingJobs } from "../store/jobs.ts";
import { countResults } from "../store/results.ts";
import { listScanLogs, type ScanLogRow } from "../store/scan-logs.ts";
import {
  findScan,
  listScans,
  lockScan,
  requestCancel,
  type ScanFilter,
  type ScanRow,
} from "../store/scans.ts";
import type { Session, Store } from "../store/store.ts";
import { recordAudit } from "./audit.ts";
import { type Page, pageOf } from "./page.ts";
import { refusal } from "./refusal.ts";
import { settleScan } from "./scan-outcome.ts";
import { scanOfRequest, scanOfTemplate, type ScanRequest } from "./scan-requests.ts";
import { startScan } from "./scan-start.ts";
import { scanListItem, type ScanListItem, scanProgress, scanView } from "./scan-view.ts";

export class Scans {
  private readonly store: Store;
  private readonly log: Log;

  constructor(store: Store, log: Log) {
    this.store = store;
    this.log = log;
  }

  /** @throws PortolanError what `scanOfRequest`, `scanOfTemplate` and `startScan` throw */
  async create(request: ScanRequest | TemplateScanRequest, actor: string): Promise<ScanView> {
    const view = await this.store.transaction(async (session) => {
      const scan =
        "templateId" in request
          ? await scanOfTemplate(session, { ...request, name: request.name, scheduleId: null })
          : await scanOfRequest(session, request);
      const scanId = await startScan(session, scan, actor);
      return viewScan(session, await requireScan(session, scanId));
    });
    this.log.info("scan.created", `Scan ${view.id} was started`, {
      scanId: view.id,
      actor,
      probes: view.probes,
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
      const jobs = await listJobsOfScan(session, id, MAX_JOBS_SHOWN);
      return scanProgress(scan, await sumJobs(session, [id]), jobs, counts.get(id) ?? 0);
    });
  }

  /** Newest first. */
  async list(filter: ScanFilter, limit: number, cursor: number | undefined): Promise<Page<ScanListItem>> {
    return this.store.run(async (session) => {
      const { rows, nextCursor } = pageOf(
        await listScans(session, filter, { limit: limit + 1, before: cursor }),
        limit,
      );
      const ids = rows.map(({ id }) => id);
      const sums = Map.groupBy(await sumJobs(session, ids), (sum) => sum.scan_id);
      const counts = await countResults(session, ids);
      const views = rows.map((scan) => scanListItem(scan, sums.get(scan.id) ?? [], counts.get(scan.id) ?? 0));
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
  async logs(id: number, limit: number, cursor = 0): Promise<Page<ScanLogRow>> {
    return this.store.run(async (session) => {
      await requireScan(session, id);
      return pageOf(await listScanLogs(session, id, { limit: limit + 1, after: cursor }), limit);
    });
  }
}

async function requireScan(session: Session, id: number): Promise<ScanRow> {
  const scan = await findScan(session, id);
  if (scan === undefined) throw refusal("NOT_FOUND", `no scan ${id}`);
  return scan;
}

async function viewScan(session: Session, scan: ScanRow): Promise<ScanView> {
  const jobs = await listJobsOfScan(session, scan.id, MAX_JOBS_SHOWN);
  const counts = await countResults(session, [scan.id]);
  return scanView(scan, await sumJobs(session, [scan.id]), jobs, counts.get(scan.id) ?? 0);
}
