/**
 * Finds out what changed, job by job, in the order in which they ended. Of all replicas one does it at a time, in short
 * transactions that also say how far it is: whoever goes on after a crash begins where it ended.
 *
 * A job that says it succeeded and found no open port where there were some is not believed, unless other jobs of its
 * scan found some, or hosts answered that their ports are closed. Such a job waits for the others of its scan.
 */

import type { Clock } from "#shared/clock.ts";
import type { Log } from "#shared/log.ts";
import { jobOptionsSchema, type ScanSummary, scanSummarySchema } from "#shared/protocol/job.ts";
import {
  believeEndedJob,
  type EndedJob,
  findNextEndedJob,
  giveUpHeldJobs,
  hasFoundOpen,
  holdEndedJob,
  mayFindOpen,
  moveEndedJob,
  noteFindings,
  releaseEndedJobs,
  removeEndedJob,
} from "../store/ended-jobs.ts";
import { hex, STATE_CODES } from "../store/endpoint-key.ts";
import { hasOpenEndpoint } from "../store/endpoints.ts";
import { findScope } from "../store/job-scopes.ts";
import { lockJob } from "../store/jobs.ts";
import { hasOpenResult } from "../store/results.ts";
import type { Session, Store } from "../store/store.ts";
import type { Look } from "./address-changes.ts";
import { recordAudit } from "./audit.ts";
import { CoveredScopes } from "./covered-scopes.ts";
import { comparePart } from "./job-comparison.ts";
import { JobScopes, type KnownScope } from "./job-scopes.ts";
import { refusal } from "./refusal.ts";
import { readJson } from "./stored-json.ts";

/** In one turn; what is left comes in the next. */
const MAX_STEPS = 2_000;

type Judgement = "believed" | "waits" | "suspicious";

export class StateChanges {
  private readonly store: Store;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly scopes = new JobScopes();
  private readonly covered = new CoveredScopes();

  constructor(store: Store, clock: Clock, log: Log) {
    this.store = store;
    this.clock = clock;
    this.log = log;
  }

  /** @returns steps that were done; 0 when there was nothing to do, or another replica is at it */
  async catchUp(signal?: AbortSignal): Promise<number> {
    let steps = 0;
    for (; steps < MAX_STEPS; steps++) {
      if (signal?.aborted === true || !(await this.step())) break;
      // Whoever waits for the database goes first.
      await this.clock.sleep(0);
    }
    return steps;
  }

  /**
   * The job was right: there is nothing open any more. What it found, or did not, counts from now on.
   * @throws PortolanError NOT_FOUND, and CONFLICT for a job that is not doubted
   */
  async believe(jobId: number, actor: string): Promise<void> {
    await this.store.transaction(async (session) => {
      const job = await lockJob(session, jobId);
      if (job === undefined) throw refusal("NOT_FOUND", `no job ${jobId}`);
      const { id, scan_id, vantage_id, suspicious } = job;
      if (suspicious !== "nothing-found" || vantage_id === null) {
        throw refusal(
          "CONFLICT",
          `job ${jobId} is not doubted: only one with 'nothing-found' can be believed`,
        );
      }
      await believeEndedJob(session, { id, scan_id, vantage_id });
      await recordAudit(session, { actor, action: "job.believed", object: `job:${jobId}` });
    });
    this.log.info("job.believed", `Job ${jobId} is believed`, { jobId, actor });
  }

  /** False when there was nothing to do. */
  private async step(): Promise<boolean> {
    let job: EndedJob | undefined;
    await this.store.tryExclusive("stateChanges", async (session) => {
      job = await findNextEndedJob(session);
      if (job !== undefined) await this.goOn(session, job);
    });
    return job !== undefined;
  }

  private async goOn(session: Session, job: EndedJob): Promise<void> {
    const known = await this.scopes.of(session, job.job_id);
    if (job.position === null && !(await this.begin(session, job, known))) return;
    await this.compare(session, job, known);
  }

  /** Judges the job. @returns whether it is to be compared */
  private async begin(session: Session, job: EndedJob, known: KnownScope): Promise<boolean> {
    const { first, last } = known.scope.span;
    const of = { scanId: job.scan_id, at: known.at };
    const foundOpen = await hasOpenResult(session, of, job.vantage_id, first, last);
    const judgement = foundOpen ? "believed" : await judgeEmpty(session, job, known);
    if (judgement === "waits") {
      await holdEndedJob(session, job.id);
      return false;
    }
    if (judgement === "suspicious") {
      await noteFindings(session, job.job_id, { foundOpen, suspicious: "nothing-found" });
      await giveUpHeldJobs(session, job, "nothing-found");
      await removeEndedJob(session, job.id);
      this.log.warning("job.suspicious", `Job ${job.job_id} found nothing where ports were open`, {
        jobId: job.job_id,
        scanId: job.scan_id,
      });
      return false;
    }
    const hasSuspects = (summaryOf(job)?.hostsSuspicious ?? 0) > 0;
    await noteFindings(session, job.job_id, {
      foundOpen,
      suspicious: hasSuspects ? "answers-on-every-port" : undefined,
    });
    if (foundOpen) await releaseEndedJobs(session, job);
    else if (!(await mayFindOpen(session, job))) await settleHeld(session, job);
    return true;
  }

  private async compare(session: Session, job: EndedJob, { scope, at }: KnownScope): Promise<void> {
    const isComplete = coversItsScope(job);
    const look: Look = {
      scanId: job.scan_id,
      vantageId: job.vantage_id,
      isComplete,
      hasUnnamedSuspects: (summaryOf(job)?.hostsSuspicious ?? 0) > 0,
      reportStates: reportedStates(job),
      startedAtMs: job.started_at ?? job.ended_at,
      endedAtMs: job.ended_at,
      wasCovered: await this.covered.lookUp(session, job.vantage_id, scope.span),
    };
    const comparison = { jobId: job.job_id, look, scope, results: { scanId: job.scan_id, at } };
    const after = job.position === null ? undefined : Uint8Array.from(Buffer.from(job.position, "hex"));
    const { upTo } = await comparePart(session, comparison, after);
    if (upTo !== undefined) {
      await moveEndedJob(session, job.id, hex(upTo));
      return;
    }
    if (isComplete) {
      const { targets } = await findScope(session, job.job_id);
      await this.covered.note(session, job.vantage_id, targets, scope.span);
    }
    await removeEndedJob(session, job.id);
  }
}

/** Of a job that found no open port. */
async function judgeEmpty(session: Session, job: EndedJob, { scope }: KnownScope): Promise<Judgement> {
  if (!coversItsScope(job)) return "believed";
  if ((summaryOf(job)?.closed ?? 0) > 0) return "believed";
  if (!(await hasOpenEndpoint(session, job.vantage_id, scope.span, (port) => scope.holds(port))))
    return "believed";
  if (await hasFoundOpen(session, job)) return "believed";
  return (await mayFindOpen(session, job)) ? "waits" : "suspicious";
}

/** The last job that might have found something has not: those that waited for it are not believed. */
async function settleHeld(session: Session, job: EndedJob): Promise<void> {
  if (await hasFoundOpen(session, job)) await releaseEndedJobs(session, job);
  else await giveUpHeldJobs(session, job, "nothing-found");
}

function summaryOf({ summary }: EndedJob): ScanSummary | undefined {
  return summary === null ? undefined : readJson(scanSummarySchema, summary);
}

/** Every port of it was probed. A scanner that counts nothing is taken at its word. */
function coversItsScope(job: EndedJob): boolean {
  if (job.status !== "completed") return false;
  const summary = summaryOf(job);
  return summary === undefined || (!summary.partial && summary.coverage >= 1);
}

function reportedStates({ scan_options }: EndedJob): Look["reportStates"] {
  const { reportStates } = readJson(jobOptionsSchema, scan_options);
  return new Set(reportStates.map((state) => STATE_CODES[state]));
}
