/** The system clock's promises that hold however slow the machine is. */

import { describe, expect, test } from "bun:test";
import { systemClock } from "./clock.ts";

/** Longer than any test may run: only the signal can end such a sleep. */
const HOURS_MS = 10 * 3_600_000;

describe("systemClock", () => {
  test("tells wall time between two readings of the machine's", () => {
    const before = Date.now();
    const now = systemClock.nowMs();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  test("monotonic time does not go back", () => {
    let previous = systemClock.monotonicMs();
    for (let i = 0; i < 1_000; i++) {
      const next = systemClock.monotonicMs();
      expect(next).toBeGreaterThanOrEqual(previous);
      previous = next;
    }
  });

  test("sleep resolves by itself", async () => {
    await systemClock.sleep(1);
    await systemClock.sleep(0, new AbortController().signal);
  });

  test("an abort ends a sleep", async () => {
    const controller = new AbortController();
    const sleeping = systemClock.sleep(HOURS_MS, controller.signal);
    controller.abort();
    await sleeping;
  });

  test("a sleep under a signal that was aborted before resolves at once", async () => {
    await systemClock.sleep(HOURS_MS, AbortSignal.abort());
  });

  test("leaves no listener on a signal that outlives the sleep", async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (type: string, listener: EventListener, options?: AddEventListenerOptions) => {
      listeners++;
      add(type, listener, options);
    };
    signal.removeEventListener = (type: string, listener: EventListener) => {
      listeners--;
      remove(type, listener);
    };
    await systemClock.sleep(1, signal);
    expect(listeners).toBe(0);
  });
});
