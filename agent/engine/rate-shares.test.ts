/** Shares of one limit: never more than it in all, never more than wanted, and nothing left over that somebody wants. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type BudgetMember, fairShares, RateBudget } from "./rate-shares.ts";

/** Sums of floating point shares may differ in their last digits. */
const SLACK = 1 + 1e-9;

const limit = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100_000 }));
const wants = fc.array(limit, { maxLength: 12 });
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
const orInfinity = (ratePps: number): number => (ratePps === 0 ? Infinity : ratePps);

/** Throws unless the shares are fair; infinite ones stand for unlimited. */
function checkFair(limitPps: number, wanted: readonly number[], shares: readonly number[]): void {
  const given = shares.map(orInfinity);
  expect(given.length).toBe(wanted.length);
  given.forEach((share, i) => expect(share).toBeLessThanOrEqual(orInfinity(wanted[i] ?? 0)));
  if (limitPps === 0) {
    expect(shares).toEqual([...wanted]);
    return;
  }
  expect(sum(given)).toBeLessThanOrEqual(limitPps * SLACK);
  const hungry = given.filter((share, i) => share < orInfinity(wanted[i] ?? 0));
  if (hungry.length === 0) return;
  expect(sum(given)).toBeGreaterThanOrEqual(limitPps / SLACK);
  // Max-min: whoever wants more has as much as anybody.
  for (const share of hungry) expect(Math.max(...given)).toBeLessThanOrEqual(share * SLACK);
}

describe("fairShares", () => {
  test("never passes the limit or a want, and leaves nothing that somebody wants", () => {
    fc.assert(
      fc.property(limit, wants, (limitPps, wanted) =>
        checkFair(limitPps, wanted, fairShares(limitPps, wanted)),
      ),
    );
  });

  test.each([
    [1_000, [0, 0], [500, 500]],
    [1_000, [100, 0, 0], [100, 450, 450]],
    [1_000, [100, 200], [100, 200]],
    [1_000, [0, 300, 400], [350, 300, 350]],
    [0, [0, 7], [0, 7]],
    [10, [], []],
  ])("of %d for %j are %j", (limitPps, wanted, shares) => {
    const given = fairShares(limitPps, wanted);
    expect(given.length).toBe(shares.length);
    given.forEach((share, i) => expect(share).toBeCloseTo(shares[i] ?? Number.NaN, 6));
  });

  test("depends on what is wanted, not on who came first", () => {
    fc.assert(
      fc.property(limit, wants, (limitPps, wanted) => {
        const backwards = fairShares(limitPps, wanted.toReversed()).toReversed();
        fairShares(limitPps, wanted).forEach((share, i) =>
          expect(share).toBeCloseTo(backwards[i] ?? Number.NaN, 6),
        );
      }),
    );
  });
});

/** A scan as a budget sees it: the last rate that it was told, and how often. */
class FakeScan {
  readonly told: number[] = [];
  member: BudgetMember | undefined;
  wantPps: number;

  constructor(wantPps: number) {
    this.wantPps = wantPps;
  }

  get ratePps(): number {
    return this.told.at(-1) ?? Number.NaN;
  }
}

type Step =
  | { readonly does: "join"; readonly pps: number }
  | { readonly does: "limit"; readonly pps: number }
  | { readonly does: "want"; readonly pps: number; readonly who: number }
  | { readonly does: "leave"; readonly who: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant("join" as const), pps: limit }),
  fc.record({ does: fc.constant("limit" as const), pps: limit }),
  fc.record({ does: fc.constant("want" as const), pps: limit, who: fc.nat() }),
  fc.record({ does: fc.constant("leave" as const), who: fc.nat() }),
);

describe("RateBudget", () => {
  test("keeps every scan at its fair share through all that comes, goes and changes", () => {
    fc.assert(
      fc.property(limit, fc.array(step, { maxLength: 40 }), (firstLimit, steps) => {
        let limitPps = firstLimit;
        const budget = new RateBudget(limitPps);
        let scans: FakeScan[] = [];
        for (const one of steps) {
          const scan = "who" in one ? scans[one.who % Math.max(1, scans.length)] : undefined;
          if (one.does === "join") {
            const joined = new FakeScan(one.pps);
            scans.push(joined);
            joined.member = budget.join(one.pps, (ratePps) => joined.told.push(ratePps));
          } else if (one.does === "limit") {
            limitPps = one.pps;
            budget.setLimit(limitPps);
          } else if (scan !== undefined && one.does === "want") {
            scan.wantPps = one.pps;
            scan.member?.setWant(one.pps);
          } else if (scan !== undefined) {
            scan.member?.leave();
            scans = scans.filter((other) => other !== scan);
          }
          checkFair(
            limitPps,
            scans.map(({ wantPps }) => wantPps),
            scans.map(({ ratePps }) => ratePps),
          );
        }
      }),
    );
  });

  test("slows the others down before a new scan begins, so that not even for a moment there is too much", () => {
    const running = new Map<string, number>();
    const sums: number[] = [];
    const budget = new RateBudget(900);
    for (const name of ["a", "b", "c"]) {
      budget.join(0, (ratePps) => {
        running.set(name, ratePps);
        sums.push(sum([...running.values()]));
      });
    }
    expect(Object.fromEntries(running)).toEqual({ a: 300, b: 300, c: 300 });
    expect(Math.max(...sums)).toBe(900);
  });

  test("tells a scan only what is new to it", () => {
    const budget = new RateBudget(1_000);
    const small = new FakeScan(100);
    const large = new FakeScan(0);
    small.member = budget.join(100, (ratePps) => small.told.push(ratePps));
    large.member = budget.join(0, (ratePps) => large.told.push(ratePps));
    budget.setLimit(2_000);
    budget.setLimit(2_000);
    expect(small.told).toEqual([100]);
    expect(large.told).toEqual([900, 1_900]);
  });

  test("a scan that has left is told nothing more, and leaves once", () => {
    const budget = new RateBudget(1_000);
    const gone = new FakeScan(0);
    const stays = new FakeScan(0);
    gone.member = budget.join(0, (ratePps) => gone.told.push(ratePps));
    stays.member = budget.join(0, (ratePps) => stays.told.push(ratePps));
    gone.member.leave();
    gone.member.leave();
    gone.member.setWant(5);
    budget.setLimit(400);
    expect(gone.told).toEqual([1_000, 500]);
    expect(stays.told).toEqual([500, 1_000, 400]);
  });
});
