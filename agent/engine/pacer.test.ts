/** Pacing in simulated time: never too many, and in the long run neither too few. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Pacer } from "./pacer.ts";

const CATCH_UP_MS = 100;

/** From one in ten seconds to a million a second, evenly over the magnitudes. */
const ratePps = fc.double({ min: -1, max: 6, noNaN: true }).map((exponent) => 10 ** exponent);
const startMs = fc.constantFrom(0, 12.5, 86_400_000, 3_000_000_000);

/** What may go at one moment: 100 ms of sending, at least one probe, and the one that is just due. */
function burstOf(ratePps: number): number {
  return Math.max(1, (ratePps * CATCH_UP_MS) / 1_000) + 1;
}

/** Everything that may go at `nowMs`. */
function takeAll(pacer: Pacer, nowMs: number): number {
  let total = 0;
  for (let taken = pacer.take(nowMs, 1e7); taken > 0; taken = pacer.take(nowMs, 1e7)) total += taken;
  return total;
}

test("no stretch of time gets more than rate × time and one burst, whenever and however one asks", () => {
  const waitMs = fc.oneof(
    fc.constant(0),
    fc.double({ min: 0, max: 2, noNaN: true }),
    fc.double({ min: 0, max: 200, noNaN: true }),
    fc.double({ min: 0, max: 60_000, noNaN: true }),
  );
  const most = fc.oneof(fc.integer({ min: 0, max: 64 }), fc.constant(1e7));
  const polls = fc.array(fc.record({ waitMs, most, inIntervals: fc.boolean() }), { maxLength: 200 });
  fc.assert(
    fc.property(ratePps, startMs, polls, (ratePps, startMs, polls) => {
      const pacer = new Pacer(ratePps, startMs);
      let nowMs = startMs;
      let granted = 0;
      // The stretch that began when the sender was furthest behind is the one that tells.
      let leastLead = 0;
      for (const { waitMs, most, inIntervals } of polls) {
        // Waits measured in the rate's own intervals find what falls between two probes.
        nowMs += inIntervals ? (waitMs / 100) * (1_000 / ratePps) : waitMs;
        const due = (ratePps * (nowMs - startMs)) / 1_000;
        leastLead = Math.min(leastLead, granted - due);
        granted += pacer.take(nowMs, most);
        if (granted - due - leastLead > burstOf(ratePps) + 0.01) {
          throw new Error(`${granted - due - leastLead} too many at ${nowMs} ms with ${ratePps} pps`);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

test("a sender that falls behind, and takes one at a time, gets no more than the rate from then on", () => {
  // 15 pps allow one and a half probes in 100 ms: a part of a probe must not be made up for twice.
  const pacer = new Pacer(15, 0);
  let granted = pacer.take(60_000, 1);
  for (let half = 1; half <= 300; half++) granted += pacer.take(60_000 + half * (1_000 / 15 / 2), 1);
  expect(granted).toBeLessThanOrEqual(150 + burstOf(15));
});

describe("in the long run, asked every millisecond, the error stays below 0.1 %", () => {
  const rates = [0.1, 1, 10, 15, 1_000, 10_000, 12_345.6, 100_000, 500_000, 1_000_000];

  test.each(rates)("at %d pps", (ratePps) => {
    const endMs = Math.max(10_000, 2_000_000 / ratePps);
    const pacer = new Pacer(ratePps, 0);
    let granted = 0;
    for (let nowMs = 0; nowMs <= endMs; nowMs++) granted += pacer.take(nowMs, 1e7);
    const wanted = (ratePps * endMs) / 1_000;
    expect(Math.abs(granted / wanted - 1)).toBeLessThanOrEqual(0.001);
  });

  test("and for any rate and any jitter up to the catch-up time", () => {
    const jitter = fc.array(fc.double({ min: 0.01, max: 90, noNaN: true }), { minLength: 10, maxLength: 50 });
    const rate = fc.double({ min: 2, max: 6, noNaN: true }).map((exponent) => 10 ** exponent);
    fc.assert(
      fc.property(rate, jitter, (ratePps, jitter) => {
        const endMs = 30_000_000 / ratePps;
        const pacer = new Pacer(ratePps, 0);
        let granted = 0;
        let nowMs = 0;
        for (let i = 0; nowMs < endMs; i++) {
          granted += pacer.take(nowMs, 1e7);
          nowMs += Math.min(jitter[i % jitter.length] ?? 1, endMs - nowMs);
        }
        granted += pacer.take(endMs, 1e7);
        expect(Math.abs(granted / 30_000 - 1)).toBeLessThanOrEqual(0.001);
      }),
    );
  });
});

test("after a stall 100 ms are made up for, and then the rate goes on as before", () => {
  fc.assert(
    fc.property(
      ratePps,
      startMs,
      fc.double({ min: 200, max: 1e6, noNaN: true }),
      (ratePps, startMs, stallMs) => {
        const pacer = new Pacer(ratePps, startMs);
        takeAll(pacer, startMs);
        const resumedMs = startMs + Math.max(stallMs, 3_000 / ratePps);
        const caughtUp = takeAll(pacer, resumedMs);
        expect(caughtUp).toBeGreaterThanOrEqual(1);
        expect(caughtUp).toBeLessThanOrEqual(burstOf(ratePps));
        // Ten more are due after ten intervals, give or take the one that falls on the edge.
        let next = 0;
        for (let i = 1; i <= 10; i++) next += takeAll(pacer, resumedMs + (i * 1_000) / ratePps);
        expect(next).toBeGreaterThanOrEqual(9);
        expect(next).toBeLessThanOrEqual(11);
      },
    ),
  );
});

describe("waitMs", () => {
  /** Simulated clocks have a last digit too. */
  const SLACK_MS = 0.001;

  test("is exactly as long as nothing may go", () => {
    fc.assert(
      fc.property(
        ratePps,
        startMs,
        fc.double({ min: 0, max: 10_000, noNaN: true }),
        (ratePps, startMs, laterMs) => {
          const pacer = new Pacer(ratePps, startMs);
          const nowMs = startMs + laterMs;
          takeAll(pacer, nowMs);
          const waitMs = pacer.waitMs(nowMs);
          expect(waitMs).toBeGreaterThanOrEqual(0);
          expect(waitMs).toBeLessThanOrEqual(1_000 / ratePps + SLACK_MS);
          if (waitMs > 2 * SLACK_MS) expect(pacer.take(nowMs + waitMs - SLACK_MS, 1)).toBe(0);
          expect(pacer.take(nowMs + waitMs + SLACK_MS, 1)).toBe(1);
        },
      ),
    );
  });

  test("is zero while probes are due", () => {
    expect(new Pacer(10, 0).waitMs(0)).toBe(0);
    expect(new Pacer(10, 0).waitMs(5_000)).toBe(0);
  });
});

describe("setRate", () => {
  test("takes effect at once, and what was saved up is given up", () => {
    const pacer = new Pacer(1_000_000, 0);
    pacer.setRate(10, 90);
    expect(takeAll(pacer, 90)).toBe(1);
    expect(pacer.waitMs(90)).toBeCloseTo(100);
    expect(takeAll(pacer, 189)).toBe(0);
    expect(takeAll(pacer, 190)).toBe(1);
    pacer.setRate(1_000, 190);
    let granted = 0;
    for (let nowMs = 191; nowMs <= 1_190; nowMs++) granted += takeAll(pacer, nowMs);
    expect(granted).toBeWithin(1_000, 1_002);
  });

  test("to the rate that it has already changes nothing", () => {
    const pacer = new Pacer(10, 0);
    takeAll(pacer, 0);
    for (let nowMs = 1; nowMs < 100; nowMs++) {
      pacer.setRate(10, nowMs);
      expect(pacer.take(nowMs, 1)).toBe(0);
    }
    expect(pacer.take(100, 1)).toBe(1);
  });

  test("to unlimited and back leaves no debt and no credit", () => {
    const pacer = new Pacer(100, 0);
    pacer.setRate(0, 10);
    pacer.take(10, 64);
    pacer.giveBack(64);
    pacer.setRate(100, 1_000);
    expect(takeAll(pacer, 1_000)).toBe(1);
    expect(takeAll(pacer, 1_050)).toBe(5);
  });
});

test("unlimited: as many as one asks for, and no wait", () => {
  const pacer = new Pacer(0, 0);
  expect([pacer.take(0, 64), pacer.take(0, 64), pacer.waitMs(0)]).toEqual([64, 64, 0]);
});

test("what is given back may go again at once, and counts once", () => {
  const pacer = new Pacer(1_000, 0);
  expect(pacer.take(10, 64)).toBe(11);
  pacer.giveBack(4);
  expect(pacer.take(10, 64)).toBe(4);
  expect(pacer.take(10, 64)).toBe(0);
  expect(pacer.take(11, 64)).toBe(1);
});
