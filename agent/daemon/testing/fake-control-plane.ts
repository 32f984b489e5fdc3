/**
 * A control plane of a few lines for tests of the daemon: hands out what a test adds, tells what a test says, and
 * remembers all that it hears. It keeps the contract and none of the rules.
 */

import type { z } from "zod";
import {
  type Job,
  type JobCompleteRequest,
  jobCompleteRequestSchema,
  type JobDirective,
  jobDirectiveSchema,
  jobLogsRequestSchema,
  jobProgressRequestSchema,
  jobResultsRequestSchema,
  jobSchema,
  jobsQuerySchema,
  jobStartRequestSchema,
  type PortResult,
} from "#shared/protocol/job.ts";

/** What a test says of a job; the rest is made up. */
export type JobWish = Pick<Job, "targets"> &
  Partial<Omit<Job, "options">> & { options?: Partial<Job["options"]> };

/** One claim of a job, and what was heard of it. */
export interface HeardJob {
  readonly job: Job;
  cancel: boolean;
  maxProbesPerSecond: number;
  hasStarted: boolean;
  /** Probes sent, as each progress report says. */
  readonly progress: number[];
  readonly results: PortResult[];
  /** Numbers of the batches that were taken: each counts once. */
  readonly batches: Set<number>;
  readonly logs: string[];
  completion: JobCompleteRequest | undefined;
}

export class FakeControlPlane implements Disposable {
  /** Told with every job and every answer about one, while it is set. */
  scannerProbesPerSecond: number | undefined;
  heartbeats = 0;
  /** How many jobs each poll asked for. */
  readonly polls: number[] = [];
  /** Jobs in an answer, where it is not what was asked for. */
  mostPerPoll: number | undefined;
  /** Ids, in the order in which they were started. */
  readonly started: number[] = [];
  /** Answers 503 to every batch of results. */
  takesNoResults = false;
  /** By lease. */
  readonly heard = new Map<string, HeardJob>();
  private readonly pending: Job[] = [];
  private added = Promise.withResolvers<void>();
  private readonly server: Bun.Server<undefined>;
  private jobCount = 0;

  constructor(hostname = "127.0.0.1") {
    this.server = Bun.serve({
      hostname,
      port: 0,
      // Longer than any poll.
      idleTimeout: 120,
      fetch: (request) => this.answer(request),
    });
  }

  get url(): string {
    return this.server.url.origin;
  }

  /** Hands the job out to who asks next. */
  add(wish: JobWish): HeardJob {
    const job = jobSchema.parse({
      jobId: ++this.jobCount,
      scanId: 1,
      leaseId: crypto.randomUUID(),
      leaseExpiresAt: "2026-01-27T10:30:00.000Z",
      attempt: 1,
      maxProbesPerSecond: 0,
      engine: "syn",
      ...wish,
      options: {
        retries: 0,
        portTimeoutMs: 500,
        scanTimeoutSeconds: 3_600,
        reportStates: ["open"],
        ...wish.options,
      },
    });
    const heard: HeardJob = {
      job,
      cancel: false,
      maxProbesPerSecond: job.maxProbesPerSecond,
      hasStarted: false,
      progress: [],
      results: [],
      batches: new Set(),
      logs: [],
      completion: undefined,
    };
    this.heard.set(job.leaseId, heard);
    this.pending.push(job);
    this.added.resolve();
    return heard;
  }

  [Symbol.dispose](): void {
    void this.server.stop(true);
  }

  private async answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/scanner/heartbeat") {
      this.heartbeats++;
      return Response.json({ ok: true, serverTime: new Date().toISOString() });
    }
    if (pathname === "/scanner/jobs") return Response.json({ jobs: await this.poll(searchParams) });
    const call = /^\/scanner\/jobs\/\d+\/(\w+)$/.exec(pathname)?.[1];
    if (call === "results" && this.takesNoResults) {
      return Response.json({ error: { code: "DATABASE_UNAVAILABLE", message: "no" } }, { status: 503 });
    }
    return Response.json(this.hear(call, await request.json()));
  }

  private async poll(query: URLSearchParams): Promise<Job[]> {
    const { max } = jobsQuerySchema.parse(Object.fromEntries(query));
    this.polls.push(max);
    // Whoever asks waits until there is something, however long it is willing to.
    if (this.pending.length === 0) await this.added.promise;
    const jobs = this.pending.splice(0, this.mostPerPoll ?? max);
    if (this.pending.length === 0) this.added = Promise.withResolvers();
    for (const job of jobs) Object.assign(job, this.scannerLimit());
    return jobs;
  }

  private hear(call: string | undefined, body: unknown): JobDirective {
    switch (call) {
      case "start": {
        const { heard } = this.of(jobStartRequestSchema, body);
        heard.hasStarted = true;
        this.started.push(heard.job.jobId);
        break;
      }
      case "progress": {
        const { heard, said } = this.of(jobProgressRequestSchema, body);
        heard.progress.push(said.progressCount);
        break;
      }
      case "results": {
        const { heard, said } = this.of(jobResultsRequestSchema, body);
        if (!heard.batches.has(said.batch)) heard.results.push(...said.results);
        heard.batches.add(said.batch);
        break;
      }
      case "logs": {
        const { heard, said } = this.of(jobLogsRequestSchema, body);
        heard.logs.push(...said.logs.map(({ level, message }) => `${level}: ${message}`));
        break;
      }
      case "complete": {
        const { heard, said } = this.of(jobCompleteRequestSchema, body);
        heard.completion = said;
        break;
      }
      default:
        throw new Error(`no such call: ${call}`);
    }
    return this.directive(jobStartRequestSchema.parse(body).leaseId);
  }

  private directive(leaseId: string): JobDirective {
    const { cancel, maxProbesPerSecond } = this.find(leaseId);
    return jobDirectiveSchema.parse({ ok: true, cancel, maxProbesPerSecond, ...this.scannerLimit() });
  }

  private of<T extends { readonly leaseId: string }>(
    schema: z.ZodType<T>,
    body: unknown,
  ): { readonly heard: HeardJob; readonly said: T } {
    const said = schema.parse(body);
    return { heard: this.find(said.leaseId), said };
  }

  private find(leaseId: string): HeardJob {
    const heard = this.heard.get(leaseId);
    if (heard === undefined) throw new Error(`nobody was given the lease ${leaseId}`);
    return heard;
  }

  private scannerLimit(): Pick<Job, "scannerProbesPerSecond"> {
    const { scannerProbesPerSecond } = this;
    return scannerProbesPerSecond === undefined ? {} : { scannerProbesPerSecond };
  }
}
