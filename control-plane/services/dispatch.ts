/** Hands jobs to the scanners that ask for them. */

import { randomUUID } from "node:crypto";
import type { Clock } from "#shared/clock.ts";
import type { Log } from "#shared/log.ts";
import { type Job, jobOptionsSchema, jobTargetSchema } from "#shared/protocol/job.ts";
import { z } from "zod";
import type { WholeJobRow } from "../store/jobs.ts";
import { claimJobs, hasQueue } from "../store/leases.ts";
import type { ScannerRow } from "../store/scanners.ts";
import type { Store } from "../store/store.ts";
import type { JobBell } from "./job-bell.ts";
import { jobRates } from "./leased-job.ts";
import { readJson } from "./stored-json.ts";
import { isoTime } from "./time.ts";
import { jobPhases } from "./timeouts.ts";

export interface Poll {
  readonly waitSeconds: number;
  readonly max: number;
  /** Aborted when the caller is gone: nothing must be claimed for it any more. */
  readonly signal: AbortSignal;
}

const targetsSchema = z.array(jobTargetSchema);

export class Dispatch {
  private readonly store: Store;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly bell: JobBell;

  constructor(store: Store, clock: Clock, log: Log, bell: JobBell) {
    this.store = store;
    this.clock = clock;
    this.log = log;
    this.bell = bell;
  }

  /** Claims pending jobs of the scanner, waiting for the first as long as the poll says. */
  async poll(scanner: ScannerRow, poll: Poll): Promise<Job[]> {
    const deadlineMs = this.clock.monotonicMs() + poll.waitSeconds * 1_000;
    while (!poll.signal.aborted && !this.bell.isClosed) {
      const rung = this.bell.listen(scanner.id);
      const leave = (): void => rung.abort();
      poll.signal.addEventListener("abort", leave);
      try {
        const jobs = await this.claim(scanner, poll.max);
        const leftMs = deadlineMs - this.clock.monotonicMs();
        if (jobs.length > 0 || leftMs <= 0) return jobs;
        await this.clock.sleep(leftMs, rung.signal);
        // Its time is over and nothing came: its next poll is on the way, and looks.
        if (!rung.signal.aborted) return [];
      } finally {
        poll.signal.removeEventListener("abort", leave);
        this.bell.unlisten(scanner.id, rung);
      }
    }
    return [];
  }

  private async claim(scanner: ScannerRow, max: number): Promise<Job[]> {
    if (!(await this.store.run((session) => hasQueue(session, scanner.id)))) return [];
    const rows = await this.store.transaction((session) => claimJobs(session, scanner.id, max, randomUUID));
    for (const row of rows) {
      this.log.info("job.claimed", `Job ${row.id} went to ${scanner.name}`, {
        jobId: row.id,
        scanId: row.scan_id,
        scannerId: scanner.id,
        attempt: row.attempt,
      });
    }
    return rows.map(toJob);
  }
}

function toJob(row: WholeJobRow): Job {
  if (row.lease_id === null || row.lease_expires_at === null)
    throw new Error(`claimed job ${row.id} has no lease`);
  const serviceDetection = row.scan_service_detection === 1;
  const options = readJson(jobOptionsSchema, row.scan_options);
  const phases = jobPhases(row.scan_engine, serviceDetection, options.scanTimeoutSeconds);
  return {
    jobId: row.id,
    scanId: row.scan_id,
    leaseId: row.lease_id,
    leaseExpiresAt: isoTime(row.lease_expires_at),
    attempt: row.attempt,
    targets: readJson(targetsSchema, row.targets),
    ...jobRates(row),
    priority: row.priority,
    engine: row.scan_engine,
    options: { ...options, scanTimeoutSeconds: row.timeout_seconds },
    ...(serviceDetection ? { serviceDetection } : {}),
    ...(phases === undefined ? {} : { phases }),
  };
}
