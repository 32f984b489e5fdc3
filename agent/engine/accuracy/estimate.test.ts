/** The estimate against simulated scans whose loss is known. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { seededRandom } from "../testing/seeded-random.ts";
import { estimateLoss, type LossEstimate, missedOf } from "./estimate.ts";

/** Answers by pass when each probe, or its answer, is lost with this chance. */
function simulate(ports: number, passes: number, loss: number, random: () => number): number[] {
  const found = Array.from({ length: passes }, () => 0);
  for (let port = 0; port < ports; port++) {
    const pass = found.findIndex(() => random() >= loss);
    if (pass >= 0) found[pass] = (found[pass] ?? 0) + 1;
  }
  return found;
}

function estimateOf(found: readonly number[]): LossEstimate {
  const estimate = estimateLoss(found);
  if (estimate === undefined) throw new Error(`no estimate of ${found.join(" ")}`);
  return estimate;
}

describe("of 300 simulated scans, the interval holds the truth in at least 90 %", () => {
  const losses = [0.005, 0.02, 0.1, 0.3, 0.6];
  const cases = [2, 3, 5].flatMap((passes) => losses.map((loss) => [passes, loss] as const));

  test.each(cases)("with %d passes and a loss of %d", (passes, loss) => {
    const random = seededRandom(passes * 1_000 + loss * 100);
    let held = 0;
    let complete = 0;
    for (let scan = 0; scan < 300; scan++) {
      const found = simulate(1_000, passes, loss, random);
      const { lossLow, lossHigh, completenessLow, completenessHigh } = estimateOf(found);
      if (lossLow <= loss && loss <= lossHigh) held++;
      const truth = 1 - loss ** passes;
      if (completenessLow <= truth && truth <= completenessHigh) complete++;
    }
    expect(held).toBeGreaterThanOrEqual(270);
    expect(complete).toBe(held);
  });
});

test.each([
  [2, 0.01],
  [2, 0.05],
  [2, 0.2],
  [3, 0.2],
  [4, 0.4],
])(
  "with 20,000 ports, %d passes and a loss of %d completeness is right to one in a hundred",
  (passes, loss) => {
    const random = seededRandom(7);
    for (let scan = 0; scan < 20; scan++) {
      const found = simulate(20_000, passes, loss, random);
      const total = found.reduce((sum, one) => sum + one, 0);
      const { completeness } = estimateOf(found);
      expect(Math.abs(completeness - total / 20_000)).toBeLessThanOrEqual(0.01);
      const missed = missedOf(total, completeness);
      expect(Math.abs(missed - (20_000 - total))).toBeLessThanOrEqual(200);
    }
  },
);

test("nothing found after the first pass: complete, as far as can be told", () => {
  const estimate = estimateOf([500, 0]);
  expect(estimate).toMatchObject({ loss: 0, lossLow: 0, completeness: 1, completenessHigh: 1 });
  expect(estimate.lossHigh).toBeGreaterThan(0);
  expect(estimate.completenessLow).toBeWithin(0.999, 1);
});

test("one pass, or few answers, tell nothing", () => {
  expect(estimateLoss([])).toBe(undefined);
  expect(estimateLoss([1_000_000])).toBe(undefined);
  expect(estimateLoss([20, 9])).toBe(undefined);
  expect(estimateLoss([0, 0, 0])).toBe(undefined);
  expect(estimateLoss([20, 10])).toBeDefined();
});

test("whatever was found, the numbers are in order and within their bounds", () => {
  const found = fc.array(fc.nat(100_000), { minLength: 2, maxLength: 11 });
  fc.assert(
    fc.property(found, (found) => {
      const estimate = estimateLoss(found);
      if (estimate === undefined) return;
      const { loss, lossLow, lossHigh, completeness, completenessLow, completenessHigh } = estimate;
      const ascending = [0, lossLow, loss, lossHigh, 1];
      expect(ascending).toEqual(ascending.toSorted((a, b) => a - b));
      const alsoAscending = [0, completenessLow, completeness, completenessHigh, 1];
      expect(alsoAscending).toEqual(alsoAscending.toSorted((a, b) => a - b));
      expect(Number.isFinite(missedOf(1_000, completeness))).toBe(true);
    }),
  );
});

test("nothing is missed of nothing, and everything of what is complete is there", () => {
  expect(missedOf(0, 0.5)).toBe(0);
  expect(missedOf(100, 1)).toBe(0);
  expect(missedOf(100, 0.5)).toBe(100);
});
