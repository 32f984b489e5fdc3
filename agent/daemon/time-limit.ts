/** A job's time: it is told when most of it is used, and ends with the last of it. */

import type { Clock } from "#shared/clock.ts";

/** A warning comes when this share of the time is used. */
const WARNING_SHARE = 0.9;

export class TimeLimit {
  readonly limitMs: number;
  private readonly clock: Clock;
  private readonly startedMs: number;

  /** Begins to count. */
  constructor(limitSeconds: number, clock: Clock) {
    this.limitMs = limitSeconds * 1_000;
    this.clock = clock;
    this.startedMs = clock.monotonicMs();
  }

  /** Milliseconds, 0 when there are none. */
  leftMs(): number {
    return Math.max(0, this.limitMs - (this.clock.monotonicMs() - this.startedMs));
  }

  /** Calls `warn` when 90 % of the time is used, unless `signal` aborts before. */
  async warnBefore(warn: (message: string) => void, signal: AbortSignal): Promise<void> {
    await this.clock.sleep(this.limitMs * WARNING_SHARE, signal);
    if (signal.aborted) return;
    const [limit, left] = [this.limitMs, this.leftMs()].map((ms) => Math.round(ms / 1_000));
    warn(`${WARNING_SHARE * 100} % of the time limit of ${limit} s is used; the scan stops in ${left} s`);
  }
}
