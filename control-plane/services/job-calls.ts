/** What an agent tells about a job it holds: started, progress, results, logs. Its end is in `job-completion.ts`. */

import type { Log } from "#shared/log.ts";
import type { JobDirective, JobLogsRequest, JobProgressRequest } from "#shared/protocol/job.ts";
import { type BatchKey, hasBatch, insertBatch } from "../store/job-batches.ts";
import type { JobRow } from "../store/jobs.ts";
import { growProgress, markJobRunning } from "../store/leases.ts";
import { insertScanLogs } from "../store/scan-logs.ts";
import { markScanRunning } from "../store/scans.ts";
import type { Session, Store } from "../store/store.ts";
import { ingestResults } from "./ingest.ts";
import { JobScopes } from "./job-scopes.ts";
import { directive, holdJob, type JobCall } from "./leased-job.ts";
import type { ResultBatch } from "./observations.ts";

const never = (): boolean => false;

export class JobCalls {
  private readonly store: Store;
  private readonly log: Log;
  private readonly scopes = new JobScopes();

  constructor(store: Store, log: Log) {
    this.store = store;
    this.log = log;
  }

  async start(call: JobCall): Promise<JobDirective> {
    const job = await this.store.transaction(async (session) => {
      const held = await holdJob(session, call, "scan", never);
      await markJobRunning(session, held.job.id);
      await markScanRunning(session, held.job.scan_id);
      return held.job;
    });
    this.log.info("job.started", `Job ${job.id} runs on ${call.scanner.name}`, {
      jobId: job.id,
      scanId: job.scan_id,
    });
    return directive(job);
  }

  async progress(call: JobCall, progress: JobProgressRequest): Promise<JobDirective> {
    return this.store.transaction(async (session) => {
      const { job } = await holdJob(session, call, "job", never);
      await growProgress(session, job.id, {
        progressCount: progress.progressCount,
        resultCount: progress.resultCount,
        coverage: progress.coverage ?? 0,
      });
      return directive(job);
    });
  }

  /** The batch and its rows are stored together or not at all; a batch that was stored before changes nothing. */
  async results(call: JobCall, { batch, results }: ResultBatch): Promise<JobDirective> {
    return this.batch(call, "results", batch, results.length, (session, job) =>
      ingestResults(session, this.scopes, job, results),
    );
  }

  async logs(call: JobCall, { batch, logs }: JobLogsRequest): Promise<JobDirective> {
    return this.batch(call, "logs", batch, logs.length, (session, job) =>
      insertScanLogs(
        session,
        job.scan_id,
        logs.map(({ timestamp, level, message }) => ({
          job_id: job.id,
          scanner_id: job.scanner_id,
          at: Date.parse(timestamp),
          level,
          message,
        })),
      ),
    );
  }

  private async batch(
    call: JobCall,
    kind: BatchKey["kind"],
    batch: number,
    rowCount: number,
    store: (session: Session, job: JobRow) => Promise<void>,
  ): Promise<JobDirective> {
    const key: BatchKey = { job_id: call.jobId, lease_id: call.leaseId, kind, batch };
    return this.store.transaction(async (session) => {
      const { job, isRepeat } = await holdJob(session, call, "job", () => hasBatch(session, key));
      if (!isRepeat && (await insertBatch(session, key, rowCount))) await store(session, job);
      return directive(job);
    });
  }
}
