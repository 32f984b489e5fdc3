/**
 * Runs jobs, so many at a time. Nobody should bring more than there are free slots; what is brought all the same waits,
 * the highest priority first and the earliest of equals.
 */

import type { Job } from "#shared/protocol/job.ts";

export class JobSlots {
  private readonly count: number;
  private readonly run: (job: Job) => Promise<void>;
  private readonly signal: AbortSignal;
  private readonly running = new Set<Promise<void>>();
  private waiting: readonly Job[] = [];
  /** Resolves when a job ends or no more may begin; another takes its place then. */
  private change = Promise.withResolvers<void>();

  /**
   * @param count jobs at a time
   * @param run runs one job to its end; must not reject
   * @param signal from when it aborts on no job begins any more
   */
  constructor(count: number, run: (job: Job) => Promise<void>, signal: AbortSignal) {
    this.count = count;
    this.run = run;
    this.signal = signal;
    signal.addEventListener("abort", () => this.announce(), { once: true });
  }

  /** How many more jobs would begin at once. */
  get free(): number {
    return Math.max(0, this.count - this.running.size - this.waiting.length);
  }

  add(jobs: readonly Job[]): void {
    this.waiting = [...this.waiting, ...jobs].toSorted((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
    this.begin();
  }

  /** Resolves when there is a free slot, or the signal aborts. */
  async whenFree(): Promise<void> {
    while (this.free === 0 && !this.signal.aborted) await this.change.promise;
  }

  /** Resolves when no job runs any more and none will: after the signal aborted. */
  async closed(): Promise<void> {
    while (this.running.size > 0 || !this.signal.aborted) await this.change.promise;
  }

  private begin(): void {
    while (this.running.size < this.count && !this.signal.aborted) {
      const [job, ...rest] = this.waiting;
      if (job === undefined) return;
      this.waiting = rest;
      const running = this.run(job).then(() => {
        this.running.delete(running);
        this.begin();
        this.announce();
      });
      this.running.add(running);
    }
  }

  private announce(): void {
    this.change.resolve();
    this.change = Promise.withResolvers();
  }
}
