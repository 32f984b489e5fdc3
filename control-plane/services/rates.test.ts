import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { effectiveRatePps, equalShare, jobRatePps } from "./rates.ts";

const rate = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100_000 }));

describe("the effective rate", () => {
  test.each([
    [[], 0],
    [[0, 0], 0],
    [[0, 500], 500],
    [[700, 500, 0], 500],
  ])("of limits %j is %d: the lowest that is not 0", (limits, expected) => {
    expect(effectiveRatePps(...limits)).toBe(expected);
  });

  test("is one of the limits and exceeds none", () => {
    fc.assert(
      fc.property(fc.array(rate), (limits) => {
        const effective = effectiveRatePps(...limits);
        const set = limits.filter((limit) => limit > 0);
        expect(set.length === 0 ? effective === 0 : set.includes(effective)).toBe(true);
        expect(set.every((limit) => effective <= limit)).toBe(true);
      }),
    );
  });
});

describe("a limit that is divided equally", () => {
  test("600 among 3 is 200 each; no limit stays none; a share is never 0", () => {
    expect([equalShare(600, 3), equalShare(0, 3), equalShare(2, 3)]).toEqual([200, 0, 1]);
  });

  test("is never exceeded by all shares together, and wastes less than a probe a share", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 1, max: 1_000 }),
        (limit, shares) => {
          fc.pre(shares <= limit);
          const all = equalShare(limit, shares) * shares;
          expect(all).toBeLessThanOrEqual(limit);
          expect(limit - all).toBeLessThan(shares);
        },
      ),
    );
  });
});

describe("jobs that run at the same time", () => {
  test("never exceed their scanner's limit together, nor the limit of what they scan", () => {
    const job = fc.record({ scope: fc.integer({ min: 0, max: 3 }) });
    const scene = fc.record({
      scannerLimitPps: fc.integer({ min: 16, max: 100_000 }),
      scopeLimitsPps: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 16, max: 100_000 })), {
        minLength: 4,
        maxLength: 4,
      }),
      jobs: fc.array(job, { minLength: 1, maxLength: 16 }),
    });
    fc.assert(
      fc.property(scene, ({ scannerLimitPps, scopeLimitsPps, jobs }) => {
        const rates = jobs.map(({ scope }) =>
          jobRatePps({
            scopeLimitPps: scopeLimitsPps[scope] ?? 0,
            jobsInScope: jobs.filter((other) => other.scope === scope).length,
            scannerLimitPps,
            jobsOfScanner: jobs.length,
          }),
        );
        const sum = (of: readonly number[]): number => of.reduce((all, pps) => all + pps, 0);
        expect(rates.every((pps) => pps > 0)).toBe(true);
        expect(sum(rates)).toBeLessThanOrEqual(scannerLimitPps);
        for (const [scope, limit] of scopeLimitsPps.entries()) {
          const own = rates.filter((_, index) => jobs[index]?.scope === scope);
          if (limit > 0) expect(sum(own)).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });

  test("have no limit where there is none", () => {
    const facts = { scopeLimitPps: 0, jobsInScope: 4, scannerLimitPps: 0, jobsOfScanner: 4 };
    expect(jobRatePps(facts)).toBe(0);
  });
});
