/** Repeated calls in simulated time: which errors, how often, how long between. */

import { describe, expect, test } from "bun:test";
import { SCANNER_BACKOFF } from "#shared/backoff.ts";
import type { Clock } from "#shared/clock.ts";
import { PortolanError } from "#shared/errors.ts";
import { ApiError } from "./api-error.ts";
import { retryDelayMs, type RetryOptions, withRetry } from "./retry.ts";

/** Sleeps by moving its hands. */
class FakeClock implements Clock {
  readonly sleeps: number[] = [];
  private readonly onSleep: () => void;

  constructor(onSleep: () => void = () => undefined) {
    this.onSleep = onSleep;
  }

  nowMs(): number {
    return this.monotonicMs();
  }

  monotonicMs(): number {
    return this.sleeps.reduce((sum, ms) => sum + ms, 0);
  }

  async sleep(ms: number): Promise<void> {
    this.sleeps.push(ms);
    this.onSleep();
  }
}

const BUSY = new ApiError("INTERNAL", "busy", { status: 500, retryAfterMs: undefined });
const LATER = new ApiError("RATE_LIMITED", "slower", { status: 429, retryAfterMs: 42_000 });
const REFUSED = new ApiError("INVALID_REQUEST", "no", { status: 400, retryAfterMs: undefined });

function options(clock: Clock, signal = new AbortController().signal): RetryOptions {
  return { policy: SCANNER_BACKOFF, clock, signal, onRetry: () => undefined };
}

/** A call that fails with these errors in turn, then answers "done". */
function failing(...errors: readonly Error[]): { call: () => Promise<string>; count: () => number } {
  let count = 0;
  const call = async (): Promise<string> => {
    const error = errors[count++];
    if (error !== undefined) throw error;
    return "done";
  };
  return { call, count: () => count };
}

describe("withRetry", () => {
  test("a call that succeeds is made once", async () => {
    const clock = new FakeClock();
    const { call, count } = failing();
    expect(await withRetry(options(clock), call)).toBe("done");
    expect([count(), clock.sleeps.length]).toEqual([1, 0]);
  });

  test("waits from 1 s, doubling, less up to a fifth; then gives up with the last error", async () => {
    const clock = new FakeClock();
    const { call, count } = failing(BUSY, BUSY, BUSY, BUSY, LATER, BUSY);
    await expect(withRetry(options(clock), call)).rejects.toBe(LATER);
    expect(count()).toBe(5);
    expect(clock.sleeps).toHaveLength(4);
    clock.sleeps.forEach((ms, i) => expect(ms).toBeWithin(800 * 2 ** i, 1_000 * 2 ** i + 1));
  });

  test("waits what the control plane asks for", async () => {
    const clock = new FakeClock();
    expect(await withRetry(options(clock), failing(LATER, LATER).call)).toBe("done");
    expect(clock.sleeps).toEqual([42_000, 42_000]);
  });

  test.each([
    ["a refusal", REFUSED],
    ["an expected failure that is not retryable", new PortolanError("X", "x")],
    ["a fault of the program", new TypeError("x is not a function")],
  ])("%s is not repeated", async (_name, error) => {
    const clock = new FakeClock();
    const { call, count } = failing(error);
    await expect(withRetry(options(clock), call)).rejects.toBe(error);
    expect([count(), clock.sleeps.length]).toEqual([1, 0]);
  });

  test("tells of each wait before it", async () => {
    const told: unknown[] = [];
    const clock = new FakeClock(() => told.push("sleep"));
    await withRetry(
      { ...options(clock), onRetry: (error, attempt, waitMs) => told.push([error.code, attempt, waitMs]) },
      failing(LATER, LATER).call,
    );
    expect(told).toEqual([["RATE_LIMITED", 1, 42_000], "sleep", ["RATE_LIMITED", 2, 42_000], "sleep"]);
  });

  test("makes no further call once told to stop, be it during the call or the wait", async () => {
    const before = new AbortController();
    const first = failing(BUSY);
    const clock = new FakeClock();
    before.abort();
    await expect(withRetry(options(clock, before.signal), first.call)).rejects.toBe(BUSY);
    expect([first.count(), clock.sleeps.length]).toEqual([1, 0]);

    const during = new AbortController();
    const second = failing(BUSY);
    const stopping = new FakeClock(() => during.abort());
    await expect(withRetry(options(stopping, during.signal), second.call)).rejects.toBe(BUSY);
    expect(second.count()).toBe(1);
  });
});

test("retryDelayMs: the control plane's wish, else the policy, for errors of any kind", () => {
  expect(retryDelayMs(LATER, SCANNER_BACKOFF, 1)).toBe(42_000);
  const atOnce = new ApiError("INTERNAL", "busy", { status: 503, retryAfterMs: 0 });
  expect(retryDelayMs(atOnce, SCANNER_BACKOFF, 1)).toBe(1_000);
  for (const error of [BUSY, new Error("x"), undefined]) {
    expect(retryDelayMs(error, SCANNER_BACKOFF, 99)).toBeWithin(24_000, 30_001);
  }
});
