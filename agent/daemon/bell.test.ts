/** The bell, in time that stands still until a test moves it. */

import { describe, expect, test } from "bun:test";
import type { Clock } from "#shared/clock.ts";
import { Bell } from "./bell.ts";

/** Sleeps end when they are aborted or `pass` is called. */
class StillClock implements Clock {
  readonly asked: number[] = [];
  private sleepers = new Set<() => void>();

  get asleep(): number {
    return this.sleepers.size;
  }

  nowMs(): number {
    return 0;
  }

  monotonicMs(): number {
    return 0;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.asked.push(ms);
    return new Promise((resolve) => {
      const wake = (): void => {
        this.sleepers.delete(wake);
        resolve();
      };
      this.sleepers.add(wake);
      if (signal?.aborted === true) wake();
      signal?.addEventListener("abort", wake);
    });
  }

  pass(): void {
    for (const wake of this.sleepers) wake();
  }
}

const never = new AbortController().signal;

describe("Bell", () => {
  test("a ring ends the wait, and leaves no timer behind", async () => {
    const clock = new StillClock();
    const bell = new Bell();
    const waiting = bell.wait(clock, 1_000, never);
    expect([clock.asked, clock.asleep]).toEqual([[1_000], 1]);
    bell.ring();
    await waiting;
    expect(clock.asleep).toBe(0);
  });

  test("so does the end of the time", async () => {
    const clock = new StillClock();
    const waiting = new Bell().wait(clock, 1_000, never);
    clock.pass();
    await waiting;
    expect(clock.asleep).toBe(0);
  });

  test("and the end of the program, before or during the wait", async () => {
    const clock = new StillClock();
    const stop = new AbortController();
    const waiting = new Bell().wait(clock, 1_000, stop.signal);
    stop.abort();
    await waiting;
    await new Bell().wait(clock, 1_000, stop.signal);
    expect(clock.asleep).toBe(0);
  });

  test("a ring while nobody waits is not lost, and several count as one", async () => {
    const clock = new StillClock();
    const bell = new Bell();
    bell.ring();
    bell.ring();
    await bell.wait(clock, 1_000, never);

    let over = false;
    const second = bell.wait(clock, 1_000, never).then(() => (over = true));
    // Whatever could go on by itself has gone on by now.
    await new Promise((resolve) => setImmediate(resolve));
    expect([over, clock.asleep]).toEqual([false, 1]);
    bell.ring();
    await second;
  });
});
