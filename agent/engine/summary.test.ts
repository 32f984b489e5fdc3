/** The summary: honest about what was covered and how complete it is, and in the shape of the wire. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { scanSummarySchema } from "#shared/protocol/job.ts";
import {
  ANSWERS_BY_PASS,
  CLOSED,
  FILTERED_BY_ANSWER,
  KERNEL_DROPS,
  OPEN,
  OPEN_BY_PASS,
  PACKETS_SENT,
  POSITION,
  REFUSED_FIRST_PASS,
  SEND_ERRORS,
  setLane,
} from "./control-block.ts";
import type { WorkerPlan } from "./plan.ts";
import { summarize } from "./summary.ts";
import { portQuestions } from "./targets/questions.ts";
import { buildSpace } from "./targets/space.ts";
import { addressesOf, aPlan, learnHop, readyNeighbours } from "./testing/plan.ts";

const DONE = {
  links: ["raw"],
  ended: "done",
  durationMs: 2_000,
  hostsSuspicious: 0,
  openWithheld: 0,
} as const;
const ADDRESSES = 8;
const PORTS = 4;
const PLANNED = ADDRESSES * PORTS;
const SCAN = { addresses: addressesOf(ADDRESSES), tcpPorts: [{ first: 1, last: PORTS }] };

type Places = readonly (readonly [place: number, value: number])[];

/** Sets counters of the receiver, and of the first sender. */
function counted(plan: WorkerPlan, counters: Places, lane: Places = [[POSITION, PLANNED]]): WorkerPlan {
  for (const [place, value] of counters) plan.control.counters[place] = value;
  for (const [place, value] of lane) setLane(plan.control, 0, place, value);
  return plan;
}

describe("what was done", () => {
  test("a whole scan: everything covered, silence counts as filtered", () => {
    const counters: Places = [
      [OPEN, 3],
      [CLOSED, 20],
      [FILTERED_BY_ANSWER, 2],
    ];
    const lane: Places = [
      [POSITION, PLANNED],
      [PACKETS_SENT, 40],
    ];
    expect(summarize(counted(aPlan(SCAN), counters, lane), DONE)).toMatchObject({
      partial: false,
      ended: "done",
      link: "raw",
      addresses: ADDRESSES,
      ports: PORTS,
      probesPlanned: PLANNED,
      probesCovered: PLANNED,
      coverage: 1,
      open: 3,
      closed: 20,
      filtered: PLANNED - 23,
      durationMs: 2_000,
      ratePps: 20,
    });
  });

  test.each(["interrupted", "cancelled", "timed-out"] as const)(
    "a scan that was %s is partial even where every first probe was sent",
    (ended) => {
      const plan = counted(aPlan({ ...SCAN, retries: 1 }), [[OPEN, 3]]);
      const summary = summarize(plan, { ...DONE, ended });
      expect(summary).toMatchObject({ partial: true, coverage: 1 });
    },
  );

  test("lanes add up", () => {
    const plan = aPlan(SCAN, { lanes: 3 });
    for (const lane of [0, 1, 2]) setLane(plan.control, lane, POSITION, 10);
    expect(summarize(plan, DONE)).toMatchObject({ probesCovered: 30, partial: true });
  });

  test("probes that the kernel refused are not covered, and the scan is partial", () => {
    const lane: Places = [
      [POSITION, PLANNED],
      [SEND_ERRORS, 8],
      [REFUSED_FIRST_PASS, 8],
    ];
    expect(summarize(counted(aPlan(SCAN), [], lane), DONE)).toMatchObject({
      partial: true,
      sendErrors: 8,
      probesCovered: PLANNED - 8,
      coverage: 0.75,
      filtered: PLANNED - 8,
    });
  });

  test("answers that the kernel dropped make it partial, unless all was answered nevertheless", () => {
    const partial = (answered: number): boolean =>
      summarize(
        counted(aPlan(SCAN), [
          [KERNEL_DROPS, 5],
          [CLOSED, answered],
        ]),
        DONE,
      ).partial;
    expect([partial(PLANNED - 1), partial(PLANNED)]).toEqual([true, false]);
  });

  test("a shard plans its own part", () => {
    const plan = counted(aPlan({ ...SCAN, shard: { index: 6, count: 7 } }), [], [[POSITION, 4]]);
    expect(summarize(plan, DONE)).toMatchObject({ probesPlanned: 4, coverage: 1, partial: false });
  });

  test("several payloads ask one question", () => {
    const plan = aPlan({ addresses: addressesOf(10), tcpPorts: [], udpPorts: [{ first: 53, last: 54 }] });
    const questions = portQuestions([], [{ first: 53, last: 54 }], () => [1, 2, 3]);
    const space = buildSpace(plan.space, questions);
    const permutation = { ...plan.permutation, size: space.size };
    const counters: Places = [
      [OPEN, 4],
      [CLOSED, 5],
    ];
    const lane: Places = [
      [POSITION, 20],
      [PACKETS_SENT, 60],
    ];
    const summary = summarize(counted({ ...plan, space, permutation }, counters, lane), DONE);
    expect(summary).toMatchObject({
      ports: 2,
      probesPlanned: 20,
      packetsSent: 60,
      coverage: 1,
      open: 4,
      closed: 5,
      filtered: 11,
    });
  });

  test("open ports of hosts that answer on everything are told apart", () => {
    const plan = counted(aPlan(SCAN), [[OPEN, 20]]);
    const summary = summarize(plan, { ...DONE, hostsSuspicious: 2, openWithheld: 15 });
    expect(summary).toMatchObject({ open: 5, openWithheld: 15, hostsSuspicious: 2, filtered: PLANNED - 20 });
  });

  test("names each link once, sorted", () => {
    const links = ["xdp", "raw", "packet", "raw"];
    expect(summarize(aPlan(SCAN), { ...DONE, links }).link).toBe("packet+raw+xdp");
  });

  test("counts who is not on the link, once everybody was asked", () => {
    const plan = aPlan(SCAN, { reaches: ["on-link"] });
    learnHop(plan, 2);
    expect(summarize(plan, DONE).hostsUnreachable).toBe(0);
    readyNeighbours(plan);
    expect(summarize(plan, DONE).hostsUnreachable).toBe(ADDRESSES - 1);
  });

  test("has no rate where no time has passed", () => {
    const plan = counted(aPlan(SCAN), [], [[PACKETS_SENT, 5]]);
    expect(summarize(plan, { ...DONE, durationMs: 0 }).ratePps).toBe(0);
  });
});

describe("how complete it is", () => {
  const large = { addresses: addressesOf(1_000), tcpPorts: [{ first: 1, last: 10 }], retries: 1 };

  test("is not told where probes of a later pass were refused: it would look better than it is", () => {
    const found: Places = [[ANSWERS_BY_PASS, 900]];
    const lane: Places = [
      [POSITION, 10_000],
      [SEND_ERRORS, 5],
      [REFUSED_FIRST_PASS, 5],
    ];
    const inFirst = counted(aPlan(large), found, lane);
    expect(summarize(inFirst, DONE)).toHaveProperty("lossEstimate");
    const inLater = counted(aPlan(large), found, [...lane, [SEND_ERRORS, 6]]);
    expect(summarize(inLater, DONE)).not.toHaveProperty("lossEstimate");
  });

  const passes = (place: number, found: readonly number[]): Places =>
    found.map((count, i) => [place + i, count]);

  test("is told by the open ports where there are enough, else by all that answered", () => {
    const many = counted(aPlan(large), [
      ...passes(OPEN_BY_PASS, [900, 90]),
      ...passes(ANSWERS_BY_PASS, [5_000, 90]),
    ]);
    // Found later 1/11: the loss is a tenth, and a hundredth is missing still.
    expect(summarize(many, DONE).lossEstimate).toMatchObject({
      loss: expect.closeTo(0.1, 5),
      completeness: expect.closeTo(0.99, 5),
      missedOpen: expect.closeTo(10, 3),
    });
    const few = counted(aPlan(large), [
      ...passes(OPEN_BY_PASS, [99, 0]),
      ...passes(ANSWERS_BY_PASS, [900, 90]),
    ]);
    expect(summarize(few, DONE).lossEstimate).toMatchObject({
      loss: expect.closeTo(0.1, 5),
      missedOpen: expect.closeTo(1, 3),
    });
  });

  test("is not told by one pass or by few answers", () => {
    const found = passes(ANSWERS_BY_PASS, [900, 90]);
    const once = counted(aPlan({ ...large, retries: 0 }), passes(ANSWERS_BY_PASS, [900]));
    expect(summarize(once, DONE)).not.toHaveProperty("lossEstimate");
    const few = counted(aPlan(large), passes(ANSWERS_BY_PASS, [9, 1]));
    expect(summarize(few, DONE)).not.toHaveProperty("lossEstimate");
    expect(summarize(counted(aPlan(large), found), DONE)).toHaveProperty("lossEstimate");
  });
});

test("is valid on the wire whatever the counters hold, and partial unless all was covered", () => {
  const counters = fc.record({
    covered: fc.nat(PLANNED),
    refused: fc.nat(PLANNED),
    answered: fc.nat(PLANNED),
    passes: fc.array(fc.nat(1_000), { minLength: 3, maxLength: 3 }),
  });
  fc.assert(
    fc.property(counters, ({ covered, refused, answered, passes }) => {
      const places: Places = [
        [OPEN, answered],
        ...passes.map((found, i) => [OPEN_BY_PASS + i, found] as const),
        ...passes.map((found, i) => [ANSWERS_BY_PASS + i, found] as const),
      ];
      const lane: Places = [
        [POSITION, covered],
        [REFUSED_FIRST_PASS, refused],
      ];
      const plan = counted(aPlan({ ...SCAN, retries: 2 }), places, lane);
      const summary = scanSummarySchema.parse(summarize(plan, DONE));
      expect(summary.partial).toBe(covered - refused < PLANNED);
    }),
    { numRuns: 30 },
  );
});
