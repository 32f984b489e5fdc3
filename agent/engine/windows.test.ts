/**
 * A scan that is larger than the answered set, window by window: each position is asked once in each pass until it is
 * answered, whatever the shards and lanes, and a scan that is stopped on the way goes on where it stood.
 */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { AnswerSink } from "./answers.ts";
import {
  counter,
  DUPLICATES,
  laneCounter,
  OPEN,
  PACKETS_REJECTED,
  POSITION,
  setFlag,
  sumOfLanes,
  WINDOW,
} from "./control-block.ts";
import { reasonCode } from "./packet/reason.ts";
import type { ResumePoint, ScanRequest, WorkerPlan } from "./plan.ts";
import { resumePointOf } from "./resume.ts";
import { shardSize } from "./targets/lane.ts";
import { questionOfPort } from "./targets/questions.ts";
import { FakeProber, type SentProbe } from "./testing/fake-prober.ts";
import { type Asked, runLanes } from "./testing/lanes.ts";
import { addressesOf, aPlan, FIRST_SOURCE_PORT } from "./testing/plan.ts";
import { seededRandom } from "./testing/seeded-random.ts";
import { answering, indexAt, runLane, stopAfter } from "./testing/sending.ts";
import { SimulatedTime } from "./testing/simulated-time.ts";

const PORTS = 5;

const scanOf = (addresses: number, rest: Partial<ScanRequest> = {}): Partial<ScanRequest> => ({
  addresses: addressesOf(addresses),
  tcpPorts: [{ first: 80, last: 79 + PORTS }],
  portTimeoutMs: 20,
  ...rest,
});

/** The indexes that a shard has to ask, in no order. */
const indexesOf = (plan: WorkerPlan): number[] =>
  Array.from({ length: shardSize(plan.space.size, plan.shard) }, (_, position) => indexAt(plan, position));

/** Some answer, others never do. */
const answersIn = (index: number, some: number): boolean => Math.imul(index + some, 0x9e3779b1) >>> 30 === 0;

const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

/** Fails unless each index was asked in pass 1, in every further pass until it was answered, and then no more. */
function expectEachOnce(
  plan: WorkerPlan,
  indexOf: readonly (readonly [index: number, pass: number])[],
  some: number,
): void {
  const all = indexesOf(plan);
  const silent = all.filter((index) => !answersIn(index, some));
  for (let pass = 1; pass <= plan.passes; pass++) {
    const asked = indexOf.filter((one) => one[1] === pass).map(([index]) => index);
    expect(sorted(asked)).toEqual(sorted(pass === 1 ? all : silent));
  }
  expect(counter(plan.control, OPEN)).toBe(all.length - silent.length);
  expect([DUPLICATES, PACKETS_REJECTED].map((place) => counter(plan.control, place))).toEqual([0, 0]);
  expect(sumOfLanes(plan.control, POSITION)).toBe(all.length);
}

describe("every position is asked once in the first pass, and again exactly while it is silent", () => {
  let time: SimulatedTime;

  beforeEach(() => {
    time = new SimulatedTime();
  });

  afterEach(() => time.restore());

  test("over windows, passes and shards", () => {
    const shards = fc
      .constantFrom(1, 2, 3, 7)
      .chain((count) => fc.record({ count: fc.constant(count), index: fc.nat(count - 1) }));
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 200 }),
        fc.constantFrom(64, 128, 512, 2 ** 28),
        shards,
        fc.integer({ min: 0, max: 2 }),
        fc.nat(1_000),
        (addresses, maxBits, shard, retries, seed) => {
          const plan = aPlan(scanOf(addresses, { shard, retries, seed }), { maxBits });
          const asked = (probe: SentProbe) => [indexOfProbe(plan, probe), passOf(probe)] as const;
          const prober = new FakeProber(time);
          prober.onFlush = answering(plan, (probe) => answersIn(indexOfProbe(plan, probe), seed));
          expectEachOnce(plan, runLane(plan, time, prober).sent.map(asked), seed);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("an answer that comes in the next window is one still, and its position is not asked again", () => {
    const plan = aPlan(scanOf(40, { retries: 1 }), { maxBits: 64 });
    const sink = new AnswerSink(plan);
    const prober = new FakeProber(time);
    // Each batch is answered when the next one but one goes out.
    const late: (readonly SentProbe[])[] = [];
    const seen = new Map<number, number>();
    prober.onFlush = (probes) => {
      late.push(probes);
      const answered = late.length > 2 ? late.shift() : [];
      for (const probe of answered ?? []) {
        const index = indexOfProbe(plan, probe);
        seen.set(index, (seen.get(index) ?? 0) + 1);
        accept(sink, plan, probe);
      }
    };
    runLane(plan, time, prober);
    expect(counter(plan.control, PACKETS_REJECTED)).toBe(0);
    expect(counter(plan.control, OPEN)).toBe(seen.size);
    expect(sumOfLanes(plan.control, POSITION)).toBe(200);
  });

  test("taken up again in the middle of any window and pass, exactly the rest is sent", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 2 }), (count, passes) => {
        const request = scanOf(100, { retries: passes - 1, ratePps: 1_000 });
        const first = aPlan(request, { maxBits: 256 });
        const answers = (probe: SentProbe): boolean => answersIn(indexOfProbe(first, probe), 3);
        const before = new FakeProber(time);
        before.onFlush = answering(first, answers);
        stopAfter(first, before, count);
        runLane(first, time, before);
        const resume = resumePointOf(first, 0);

        const second = aPlan({ ...request, resume }, { maxBits: 256 });
        const after = new FakeProber(time);
        after.onFlush = answering(second, answers);
        runLane(second, time, after);
        expect(after.sent.map((probe) => [indexOfProbe(second, probe), passOf(probe)])).toEqual(
          restOf(
            second,
            resume,
            before.sent.filter(answers).map((probe) => indexOfProbe(first, probe)),
          ),
        );
        expect(sumOfLanes(second.control, POSITION)).toBe(500);
        // What was found before is kept, so all is found once.
        const found = indexesOf(second).filter((index) => answersIn(index, 3)).length;
        expect(counter(second.control, OPEN)).toBe(found);
      }),
      { numRuns: 60 },
    );
  });

  test("stopped again and again at random points, nothing is missed and nothing that answered is asked again", () => {
    const request = scanOf(150, { retries: 1, ratePps: 5_000, portTimeoutMs: 1 });
    for (const seed of [1, 2, 3, 4, 5]) {
      const random = seededRandom(seed);
      const asked = new Map<number, number>();
      const known = new Set<number>();
      let resume: ResumePoint | undefined;
      let plan = aPlan(request, { maxBits: 128 });
      for (let runs = 0; runs < 1_000; runs++) {
        plan = aPlan({ ...request, resume }, { maxBits: 128 });
        const prober = new FakeProber(time);
        prober.onFlush = answering(plan, (probe) => answersIn(indexOfProbe(plan, probe), seed));
        const answeredBefore = new Set(known);
        // More than what is sent again each time, so that it gets on.
        stopAfter(plan, prober, 400 + Math.floor(random() * 300));
        runLane(plan, time, prober);
        for (const probe of prober.sent) {
          const index = indexOfProbe(plan, probe);
          if (answeredBefore.has(index)) throw new Error(`${index} was asked again`);
          asked.set(index, (asked.get(index) ?? 0) + 1);
          if (answersIn(index, seed)) known.add(index);
        }
        resume = resumePointOf(plan, 0);
        if (sumOfLanes(plan.control, POSITION) === 750 && prober.sent.length < 400) break;
      }
      expect(sorted([...asked.keys()])).toEqual(sorted(indexesOf(plan)));
      expect(counter(plan.control, OPEN)).toBe(known.size);
    }
  });
});

describe("several lanes, each in a thread", () => {
  test.each([
    { lanes: 2, maxBits: 64, retries: 0, shard: { index: 0, count: 1 } },
    { lanes: 2, maxBits: 512, retries: 1, shard: { index: 2, count: 3 } },
    { lanes: 3, maxBits: 128, retries: 1, shard: { index: 0, count: 1 } },
    { lanes: 4, maxBits: 64, retries: 2, shard: { index: 1, count: 2 } },
    { lanes: 3, maxBits: 2 ** 28, retries: 2, shard: { index: 0, count: 1 } },
  ])("ask each position once a window and pass: %j", async ({ lanes, maxBits, ...rest }) => {
    const plan = aPlan(scanOf(150, rest), { lanes, maxBits });
    const indexOf = ({ addressNumber, question }: Asked): number => addressNumber * PORTS + question;
    const asked = await runLanes(plan, (one) => answersIn(indexOf(one), 9));
    expectEachOnce(
      plan,
      asked.map((one) => [indexOf(one), one.sourcePort - FIRST_SOURCE_PORT + 1]),
      9,
    );
    const each = Array.from({ length: lanes }, (_, lane) => laneCounter(plan.control, lane, POSITION));
    const { windows } = plan.answered;
    expect(Math.max(...each) - Math.min(...each)).toBeLessThanOrEqual(windows);
  });
});

describe("an answer", () => {
  const PRESENT = 3;

  /** Tells how an answer to a position counts while window 3 is sent. */
  function acceptAt(position: number): "open" | "rejected" {
    const plan = aPlan(scanOf(100, { shard: { index: 1, count: 2 } }), { maxBits: 64 });
    setFlag(plan.control, WINDOW, PRESENT);
    const index = indexAt(plan, position);
    const sink = new AnswerSink(plan);
    const number = Math.floor(index / PORTS);
    sink.accept(number, index % PORTS, reasonCode("syn-ack"), 64, FIRST_SOURCE_PORT);
    const [open, rejected] = [OPEN, PACKETS_REJECTED].map((place) => counter(plan.control, place));
    expect([open, rejected].toSorted()).toEqual([0, 1]);
    const marked = plan.answered.words.reduce((sum, word) => sum + (word === 0 ? 0 : 1), 0);
    expect(marked).toBe(open ?? -1);
    return open === 1 ? "open" : "rejected";
  }

  test("counts in its window and the one after, and no longer", () => {
    const firstOf = (window: number): number => window * 32;
    const lastOf = (window: number): number => window * 32 + 31;
    expect([firstOf(3), lastOf(3), firstOf(2), lastOf(2)].map(acceptAt)).toEqual([
      "open",
      "open",
      "open",
      "open",
    ]);
    // Their bits are those of windows 3 and 2 now, and later ones were not asked yet.
    expect([firstOf(1), lastOf(1), firstOf(0), firstOf(4)].map(acceptAt)).toEqual([
      "rejected",
      "rejected",
      "rejected",
      "rejected",
    ]);
  });

  test("from what another shard asks is not ours", () => {
    const plan = aPlan(scanOf(100, { shard: { index: 1, count: 2 } }));
    const other = indexAt({ ...plan, shard: { index: 0, count: 2 } }, 7);
    const sink = new AnswerSink(plan);
    sink.accept(Math.floor(other / PORTS), other % PORTS, reasonCode("syn-ack"), 64, FIRST_SOURCE_PORT);
    expect([OPEN, PACKETS_REJECTED].map((place) => counter(plan.control, place))).toEqual([0, 1]);
  });
});

function indexOfProbe(plan: WorkerPlan, { addressNumber, kind, port }: SentProbe): number {
  return addressNumber * PORTS + questionOfPort(plan.space.questions, kind, port);
}

function passOf({ sourcePort }: SentProbe): number {
  return sourcePort - FIRST_SOURCE_PORT + 1;
}

function accept(sink: AnswerSink, plan: WorkerPlan, probe: SentProbe): void {
  const question = questionOfPort(plan.space.questions, probe.kind, probe.port);
  sink.accept(probe.addressNumber, question, reasonCode("syn-ack"), 64, probe.sourcePort);
}

/** What one lane has left from a resume point on, in order: the rest of that pass, and all that follows. */
function restOf(plan: WorkerPlan, resume: ResumePoint, answeredBefore: readonly number[]): number[][] {
  const { windowSize, windows } = plan.answered;
  const size = shardSize(plan.space.size, plan.shard);
  const known = new Set(answeredBefore);
  const rest: number[][] = [];
  for (let { window, pass } = resume, [from = 0] = resume.lanePositions; window < windows;) {
    const end = Math.min(size, (window + 1) * windowSize);
    const asked: number[] = [];
    for (let position = window * windowSize + from; position < end; position++) {
      const index = indexAt(plan, position);
      if (!known.has(index)) asked.push(index);
    }
    rest.push(...asked.map((index) => [index, pass]));
    for (const index of asked) if (answersIn(index, 3)) known.add(index);
    from = 0;
    pass = (pass % plan.passes) + 1;
    if (pass === 1) window++;
  }
  return rest;
}
