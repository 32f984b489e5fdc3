/** A clock that stands still until a test moves it. */

import type { Clock } from "#shared/clock.ts";

interface Sleeper {
  readonly wakeAtMs: number;
  readonly wake: () => void;
}

export class FakeClock implements Clock {
  private elapsedMs = 0;
  private readonly startMs = Date.UTC(2026, 0, 27);
  private readonly sleepers = new Set<Sleeper>();

  nowMs = (): number => this.startMs + this.elapsedMs;
  monotonicMs = (): number => this.elapsedMs;

  /** How many sleeps are under way. */
  get sleeping(): number {
    return this.sleepers.size;
  }

  /** In how many milliseconds the first sleep ends; undefined when none is under way. */
  get nextWakeMs(): number | undefined {
    if (this.sleepers.size === 0) return undefined;
    return Math.min(...[...this.sleepers].map(({ wakeAtMs }) => wakeAtMs)) - this.elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = { wakeAtMs: this.elapsedMs + ms, wake: () => this.wake(sleeper, resolve) };
      if (ms <= 0 || signal?.aborted) {
        resolve();
        return;
      }
      this.sleepers.add(sleeper);
      signal?.addEventListener("abort", sleeper.wake, { once: true });
    });
  }

  /** Lets time pass, and wakes whoever's time has come. */
  advance(ms: number): void {
    this.elapsedMs += ms;
    for (const sleeper of this.sleepers) if (sleeper.wakeAtMs <= this.elapsedMs) sleeper.wake();
  }

  private wake(sleeper: Sleeper, resolve: () => void): void {
    this.sleepers.delete(sleeper);
    resolve();
  }
}
