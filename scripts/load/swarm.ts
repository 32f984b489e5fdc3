/**
 * Agents that do nothing but the protocol: claim a job, start it, deliver its results, complete it. Each call goes to
 * whichever control plane, and again to another until it is answered, as behind a load balancer. Keeps a ledger of who
 * had which job, which must agree with the database in the end.
 */

import {
  type Job,
  type JobCompleteRequest,
  type JobResultsRequest,
  jobsResponseSchema,
  type PortResult,
} from "#shared/protocol/job.ts";
import { API_KEY_HEADER } from "#shared/protocol/scanner.ts";
import type { FleetScanner } from "./fleet.ts";
import type { Random } from "./random.ts";

const POLL_WAIT_SECONDS = 5;
const JOBS_PER_POLL = 2;
const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 500;
/** A control plane that was killed in the middle of an answer does not always close the connection. */
const CALL_TIMEOUT_MS = 15_000;
/** What each job finds, in two batches. */
export const RESULTS_PER_JOB = 3;

/** Who has which job, as the agents know it. */
export class Ledger {
  /** Job → lease of the agent that works on it. */
  private readonly held = new Map<number, string>();
  /** Job → leases under which a completion was acknowledged. */
  private readonly completed = new Map<number, Set<string>>();
  readonly violations: string[] = [];
  /** Leases that were taken away although their agent was at work. */
  lostLeases = 0;
  retries = 0;

  get completedCount(): number {
    return this.completed.size;
  }

  get heldLeases(): string[] {
    return [...this.held.values()];
  }

  take({ jobId, leaseId }: Job): void {
    const other = this.held.get(jobId);
    if (other !== undefined)
      this.violations.push(`job ${jobId} was given out under ${other} and ${leaseId} at once`);
    if (this.completed.has(jobId)) this.violations.push(`job ${jobId} was given out after its completion`);
    this.held.set(jobId, leaseId);
  }

  complete({ jobId, leaseId }: Job): void {
    this.held.delete(jobId);
    const leases = this.completed.get(jobId) ?? new Set();
    this.completed.set(jobId, leases.add(leaseId));
    if (leases.size > 1) this.violations.push(`job ${jobId} was completed ${leases.size} times`);
  }

  lose({ jobId }: Job): void {
    this.held.delete(jobId);
    this.lostLeases++;
  }
}

export class Swarm {
  readonly ledger = new Ledger();
  private readonly urls: readonly string[];
  private readonly random: Random;
  private readonly stopping = new AbortController();
  private agents: Promise<void>[] = [];

  constructor(urls: readonly string[], random: Random) {
    this.urls = urls;
    this.random = random;
  }

  start(fleet: readonly FleetScanner[]): void {
    this.agents = fleet.map((scanner) => this.work(scanner));
  }

  /** @throws whatever made an agent give up */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.agents);
  }

  private async work(scanner: FleetScanner): Promise<void> {
    while (!this.stopping.signal.aborted) {
      for (const job of await this.claim(scanner)) {
        this.ledger.take(job);
        if (await this.perform(scanner, job)) this.ledger.complete(job);
        else this.ledger.lose(job);
      }
    }
  }

  /** One try: if the answer is lost, so is the claim, until its lease runs out. */
  private async claim({ apiKey }: FleetScanner): Promise<Job[]> {
    const path = `/scanner/jobs?wait=${POLL_WAIT_SECONDS}&max=${JOBS_PER_POLL}`;
    const response = await this.send(path, { headers: { [API_KEY_HEADER]: apiKey } }, this.stopping.signal);
    if (response?.status === 200) return jobsResponseSchema.parse(JSON.parse(response.text)).jobs;
    await this.pause(response);
    return [];
  }

  /** False when the lease was lost on the way. */
  private async perform(scanner: FleetScanner, job: Job): Promise<boolean> {
    const first = resultsOf(job, 0, 2);
    const calls: (readonly [string, object])[] = [
      ["start", {}],
      ["results", { batch: 1, results: first } satisfies Body<JobResultsRequest>],
      ["progress", { progressCount: 100, resultCount: 2 }],
      ["results", { batch: 2, results: resultsOf(job, 2, 1) } satisfies Body<JobResultsRequest>],
      ["complete", { status: "completed", resultCount: RESULTS_PER_JOB } satisfies Body<JobCompleteRequest>],
    ];
    for (const [what, body] of calls) {
      // Now and then an answer is lost, and the call comes again.
      const times = this.random.next() < 0.05 ? 2 : 1;
      for (let time = 0; time < times; time++) {
        if (!(await this.tell(scanner, job, what, body))) return false;
      }
    }
    return true;
  }

  /** Until it is answered. @throws Error for an answer that no agent should ever get */
  private async tell({ apiKey }: FleetScanner, job: Job, what: string, body: object): Promise<boolean> {
    const request = {
      method: "POST",
      headers: { [API_KEY_HEADER]: apiKey, "content-type": "application/json" },
      body: JSON.stringify({ leaseId: job.leaseId, ...body }),
    };
    for (;;) {
      const response = await this.send(`/scanner/jobs/${job.jobId}/${what}`, request);
      if (response?.status === 200) return true;
      if (response?.status === 409) return false;
      await this.pause(response);
      this.ledger.retries++;
    }
  }

  /** Undefined when there was no answer. */
  private async send(
    path: string,
    init: { method?: string; headers: Record<string, string>; body?: string },
    signal?: AbortSignal,
  ): Promise<{ status: number; text: string } | undefined> {
    const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS);
    try {
      const response = await fetch(`${this.random.pick(this.urls)}${path}`, {
        ...init,
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      return { status: response.status, text: await response.text() };
    } catch {
      return undefined;
    }
  }

  private async pause(response: { status: number; text: string } | undefined): Promise<void> {
    if (response !== undefined && response.status < 500) {
      throw new Error(`an agent was answered ${response.status}: ${response.text}`);
    }
    await Bun.sleep(this.random.between(MIN_RETRY_MS, MAX_RETRY_MS));
  }
}

type Body<Request extends { leaseId: string }> = Omit<Request, "leaseId">;

/** `count` results of the job, after the first `skip`. */
function resultsOf({ targets }: Job, skip: number, count: number): PortResult[] {
  const address = targets[0]?.addresses[0] ?? "";
  return Array.from({ length: count }, (_, index) => ({
    address,
    port: 1 + skip + index,
    protocol: "tcp",
    state: "open",
    reason: "syn-ack",
    observedAt: new Date().toISOString(),
  }));
}
