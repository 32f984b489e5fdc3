/** A job's time, in time that passes when it is slept through. */

import { expect, test } from "bun:test";
import type { Clock } from "#shared/clock.ts";
import { TimeLimit } from "./time-limit.ts";

class SleptClock implements Clock {
  private timeMs = 5_000;

  nowMs(): number {
    return this.timeMs;
  }

  monotonicMs(): number {
    return this.timeMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted !== true) this.timeMs += ms;
  }
}

test("is told at 90 %, with what is left", async () => {
  const clock = new SleptClock();
  const limit = new TimeLimit(3_600, clock);
  expect(limit.leftMs()).toBe(3_600_000);
  const said: string[] = [];
  await limit.warnBefore((message) => said.push(message), new AbortController().signal);
  expect(limit.leftMs()).toBe(360_000);
  expect(said).toEqual(["90 % of the time limit of 3600 s is used; the scan stops in 360 s"]);
  await clock.sleep(1_000_000);
  expect(limit.leftMs()).toBe(0);
});

test("nobody is told when the job ends before", async () => {
  const said: string[] = [];
  await new TimeLimit(60, new SleptClock()).warnBefore((message) => said.push(message), AbortSignal.abort());
  expect(said).toEqual([]);
});
