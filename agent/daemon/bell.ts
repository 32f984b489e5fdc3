/**
 * Wakes a sleeper: something arrived that is worth looking at before its time is up.
 * For one sleeper. A ring that nobody sleeps through is kept, so that the next wait ends at once.
 */

import type { Clock } from "#shared/clock.ts";

export class Bell {
  private rung = Promise.withResolvers<void>();

  ring(): void {
    this.rung.resolve();
  }

  /** Waits until the bell has rung since the last wait, `ms` have passed, or `signal` aborts. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    const timer = new AbortController();
    await Promise.race([this.rung.promise, clock.sleep(ms, AbortSignal.any([signal, timer.signal]))]);
    timer.abort();
    this.rung = Promise.withResolvers<void>();
  }
}
