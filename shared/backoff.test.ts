/** The retry policy of the scanner protocol, and the bounds of its jitter. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { backoffDelayMs, SCANNER_BACKOFF } from "./backoff.ts";

const attempt = fc.integer({ min: 1, max: 5_000 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("backoffDelayMs", () => {
  test("doubles from 1 s and stops at 30 s", () => {
    const delays = [1, 2, 3, 4, 5, 6, 7].map((n) => backoffDelayMs(SCANNER_BACKOFF, n, 0));
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  test("takes an attempt before the first for the first", () => {
    expect(backoffDelayMs(SCANNER_BACKOFF, 0, 0)).toBe(1_000);
  });

  test("jitter takes off at most a fifth and adds nothing, at any attempt", () => {
    fc.assert(
      fc.property(attempt, random, (n, r) => {
        const full = backoffDelayMs(SCANNER_BACKOFF, n, 0);
        const delay = backoffDelayMs(SCANNER_BACKOFF, n, r);
        expect(delay).toBeWithin(full * 0.8, full + 1);
        expect(delay).toBeInteger();
      }),
    );
  });

  test("spreads agents that were cut off together", () => {
    expect(backoffDelayMs(SCANNER_BACKOFF, 6, 0.5)).toBe(27_000);
    expect(backoffDelayMs(SCANNER_BACKOFF, 6, 0.999)).toBeLessThan(24_100);
  });

  test("never shrinks from one attempt to the next without jitter", () => {
    fc.assert(
      fc.property(
        attempt,
        (n) => backoffDelayMs(SCANNER_BACKOFF, n + 1, 0) >= backoffDelayMs(SCANNER_BACKOFF, n, 0),
      ),
    );
  });
});
