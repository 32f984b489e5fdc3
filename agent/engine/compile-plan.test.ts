/** A request as numbers and shared memory. */

import { describe, expect, test } from "bun:test";
import { START_RATE_PPS } from "./accuracy/rate-search.ts";
import { questionsOf } from "./compile-plan.ts";
import { counter, laneCount, RATE_PPS } from "./control-block.ts";
import { hasMac } from "./link/neighbour-table.ts";
import { ICMP_ECHO, TCP_SYN, UDP } from "./packet/probe-kind.ts";
import { resumePointOf } from "./resume.ts";
import { sourcePortCount } from "./source-port-roles.ts";
import { addressesOf, aPlan, aRequest } from "./testing/plan.ts";

describe("compilePlan", () => {
  test("numbers addresses along the routes, and has room for every lane", () => {
    const plan = aPlan({ addresses: addressesOf(4, 2), retries: 2 }, { lanes: 3 });
    expect(plan.space).toMatchObject({ addressCount: 6, size: 18 });
    expect(plan.permutation.size).toBe(18);
    expect([plan.passes, plan.sourcePortCount]).toEqual([3, sourcePortCount(3)]);
    expect(laneCount(plan.control)).toBe(3);
    expect(plan.answered).toMatchObject({ windowSize: 18, windows: 1 });
  });

  test("begins at the rate that was asked for, or where the search for it begins", () => {
    const rates = ([0, 250, "auto"] as const).map((ratePps) => counter(aPlan({ ratePps }).control, RATE_PPS));
    expect(rates).toEqual([0, 250, START_RATE_PPS]);
  });

  test("waits after the last probe for one answer, if not told otherwise", () => {
    expect(aPlan({ portTimeoutMs: 700 }).cooldownMs).toBe(700);
    expect(aPlan({ portTimeoutMs: 700, cooldownMs: 0 }).cooldownMs).toBe(0);
  });

  test("asks no gateway for its hardware address where one is given", () => {
    const gatewayMac = new Uint8Array([2, 0, 0, 0, 0, 1]);
    const plan = aPlan({ addresses: addressesOf(4, 2), gatewayMac }, { reaches: ["gateway", "on-link"] });
    expect([0, 1, 2].map((hop) => hasMac(plan.neighbours, hop))).toEqual([true, false, false]);
  });

  test("refuses a shard that is empty, and says why", () => {
    const shard = { index: 12, count: 258 };
    expect(() => aPlan({ shard })).toThrow(
      expect.objectContaining({
        code: "NOTHING_TO_SCAN",
        message: "shard 13 of 258 is empty: there are only 12 probes",
      }),
    );
    expect(aPlan({ shard: { index: 11, count: 258 } }).space.size).toBe(12);
  });

  test("refuses to go on with other lanes or passes than it was stopped with", () => {
    const resume = resumePointOf(aPlan({ retries: 1 }, { lanes: 2 }), 0);
    const mismatch = expect.objectContaining({ code: "RESUME_MISMATCH" });
    expect(() => aPlan({ retries: 1, resume }, { lanes: 1 })).toThrow(mismatch);
    expect(() => aPlan({ retries: 0, resume: { ...resume, pass: 2 } }, { lanes: 2 })).toThrow(mismatch);
    expect(() => aPlan({ retries: 1, resume: { ...resume, window: 1 } }, { lanes: 2 })).toThrow(mismatch);
    const { window, pass, lanePositions } = resume;
    // The set is in shared memory by then; a copy for each thread would cost up to 32 MiB.
    expect(aPlan({ retries: 1, resume }, { lanes: 2 }).resume).toEqual({ window, pass, lanePositions });
  });
});

test("questionsOf: ports where ports are asked for, pings where hosts are", () => {
  const request = aRequest({ udpPorts: [{ first: 9, last: 9 }] });
  expect(new Set(questionsOf(request).kinds)).toEqual(new Set([TCP_SYN, UDP]));
  expect(questionsOf({ ...request, find: "hosts" }).kinds[0]).toBe(ICMP_ECHO);
});
