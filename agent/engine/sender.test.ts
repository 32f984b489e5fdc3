/** The sending loop against a prober that writes down what it is given, in simulated time. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { CANARIES } from "./accuracy/canary-watch.ts";
import { requestCanaries } from "./accuracy/canary-queue.ts";
import { noteAnswering } from "./accuracy/soundings.ts";
import {
  CANARIES_OVER,
  laneCounter,
  newControlBlock,
  PACKETS_SENT,
  PASSES_DONE,
  POSITION,
  RATE_PPS,
  REFUSED_FIRST_PASS,
  SEND_ERRORS,
  setFlag,
  SOUNDING,
  SOUNDING_EPOCH,
  SOUNDINGS_SENT,
  STOP,
  STOP_SENDING,
  sumOfLanes,
} from "./control-block.ts";
import { AnswerSink } from "./answers.ts";
import { BATCH_PACKETS } from "./link/transmitter.ts";
import { reasonCode } from "./packet/reason.ts";
import type { ScanRequest, WorkerPlan } from "./plan.ts";
import { resumePointOf } from "./resume.ts";
import { Sender } from "./sender.ts";
import { canaryPort, portOfPass, soundingPort } from "./source-port-roles.ts";
import { shardSize } from "./targets/lane.ts";
import { familyOfNumber } from "./targets/space.ts";
import { FakeProber, type SentProbe } from "./testing/fake-prober.ts";
import { addressesOf, aPlan, FIRST_SOURCE_PORT } from "./testing/plan.ts";
import { answering, indexAt, nameOf, namesAt, runLane, stopAfter, wholeSpace } from "./testing/sending.ts";
import { SimulatedTime } from "./testing/simulated-time.ts";

let time: SimulatedTime;

beforeEach(() => {
  time = new SimulatedTime();
});

afterEach(() => time.restore());

const questionOf = ({ addressNumber, kind, port }: SentProbe): string => `${addressNumber} ${kind} ${port}`;

/** Runs all lanes of a scan, one after the other. */
function runAll(plan: WorkerPlan, prepare: (prober: FakeProber) => void = () => undefined): SentProbe[] {
  return Array.from({ length: plan.lanes }, (_, lane) => {
    const prober = new FakeProber(time);
    prepare(prober);
    return runLane({ ...plan, lane }, time, prober).sent;
  }).flat();
}

const scope: fc.Arbitrary<Partial<ScanRequest>> = fc
  .tuple(
    fc.integer({ min: 1, max: 20 }),
    fc.nat(5),
    fc.integer({ min: 1, max: 6 }),
    fc.nat(2),
    fc.nat(1_000_000),
  )
  .map(([v4, v6, tcp, udp, seed]) => ({
    addresses: addressesOf(v4, v6),
    tcpPorts: [{ first: 80, last: 79 + tcp }],
    udpPorts: udp === 0 ? [] : [{ first: 53, last: 52 + udp }],
    seed,
  }));

describe("exactly once", () => {
  test("over all lanes and shards every probe is sent in each pass, from the pass's port", () => {
    fc.assert(
      fc.property(
        scope,
        fc.constantFrom(1, 2, 7, 19),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 2 }),
        (scope, shards, lanes, retries) => {
          const sent: SentProbe[] = [];
          const whole = aPlan(scope);
          const all = wholeSpace(whole);
          for (let index = 0; index < Math.min(shards, whole.space.size); index++) {
            const plan = aPlan({ ...scope, retries, shard: { index, count: shards } }, { lanes });
            const probes = runAll(plan);
            expect(sumOfLanes(plan.control, PACKETS_SENT)).toBe(probes.length);
            expect(sumOfLanes(plan.control, POSITION)).toBe(shardSize(plan.space.size, plan.shard));
            expect(sumOfLanes(plan.control, PASSES_DONE)).toBe(lanes);
            sent.push(...probes);
          }
          for (let pass = 1; pass <= retries + 1; pass++) {
            const ofPass = sent.filter(
              ({ sourcePort }) => sourcePort === portOfPass(FIRST_SOURCE_PORT, pass),
            );
            expect(ofPass.map(nameOf).toSorted()).toEqual(all.toSorted());
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a further pass asks only what was silent, whichever payload was answered", () => {
    fc.assert(
      fc.property(scope, fc.nat(4), (scope, some) => {
        const plan = aPlan({ ...scope, retries: 1 });
        const isAnswered = ({ addressNumber, port }: SentProbe): boolean =>
          (addressNumber + port) % 5 === some;
        const prober = new FakeProber(time);
        prober.onFlush = answering(plan, isAnswered);
        runLane(plan, time, prober);
        const again = prober.sent.filter(({ sourcePort }) => sourcePort === FIRST_SOURCE_PORT + 1);
        const silent = prober.sent.filter(
          (probe) => probe.sourcePort === FIRST_SOURCE_PORT && !isAnswered(probe),
        );
        expect(again.map(nameOf).toSorted()).toEqual(silent.map(nameOf).toSorted());
      }),
      { numRuns: 40 },
    );
  });

  test("with caps every probe still goes out once, and no host or network too often", () => {
    fc.assert(
      fc.property(
        scope,
        fc.constantFrom(0, 5, 50),
        fc.constantFrom(0, 20, 300),
        (scope, maxRatePerHostPps, maxRatePerNetworkPps) => {
          const plan = aPlan({ ...scope, maxRatePerHostPps, maxRatePerNetworkPps });
          const { sent } = runLane(plan, time);
          const { mostProbes } = plan.space.questions;
          expect(sent.map(nameOf).toSorted()).toEqual(wholeSpace(plan).toSorted());
          const byHost = Object.groupBy(sent, ({ addressNumber }) => addressNumber);
          for (const some of Object.values(byHost)) checkCap(some ?? [], maxRatePerHostPps, mostProbes);
          const byFamily = Object.groupBy(sent, ({ addressNumber }) =>
            String(familyOfNumber(plan.space, addressNumber)),
          );
          for (const some of Object.values(byFamily)) checkCap(some ?? [], maxRatePerNetworkPps, mostProbes);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("with more to put aside than there is room for, too", () => {
    const tcpPorts = [{ first: 1, last: 6_000 }];
    const plan = aPlan({ addresses: addressesOf(1), tcpPorts, maxRatePerHostPps: 1_000 });
    expect(runLane(plan, time).sent.map(nameOf).toSorted()).toEqual(wholeSpace(plan).toSorted());
  });

  test("where most was answered, a pass gets on without a probe", () => {
    const plan = aPlan({ addresses: addressesOf(4_000), tcpPorts: [{ first: 1, last: 100 }], ratePps: 10 });
    plan.answered.words.fill(-1);
    plan.answered.words[0] = -2;
    const { sent } = runLane(plan, time);
    expect(sent.map(nameOf)).toEqual(namesAt(plan, indexAt(plan, 0)));
    expect(sumOfLanes(plan.control, POSITION)).toBe(400_000);
  });
});

/** @param atOnce probes of one question, which go together */
function checkCap(probes: readonly SentProbe[], pps: number, atOnce: number): void {
  if (pps === 0) return;
  const times = probes.map(({ atMs }) => atMs).toSorted((a, b) => a - b);
  const first = times[0] ?? 0;
  times.forEach((atMs, i) => {
    // A turn of the loop takes a moment, and what is due within it goes together.
    const allowed = ((atMs - first + 1) * pps) / 1_000 + atOnce;
    if (i + 1 > allowed) throw new Error(`${i + 1} probes where ${allowed} are allowed`);
  });
}

describe("pace", () => {
  /** Packets a second between the first probe and the last. */
  function rateOf(sent: readonly SentProbe[]): number {
    const times = sent.map(({ atMs }) => atMs);
    return ((sent.length - 1) * 1_000) / (Math.max(...times) - Math.min(...times));
  }

  test.each([10, 1_000, 100_000])("is kept at %d packets/s", (ratePps) => {
    const tcpPorts = [{ first: 1, last: Math.min(60_000, 5 * ratePps) }];
    const { sent } = runLane(aPlan({ addresses: addressesOf(1), tcpPorts, ratePps }), time);
    expect(Math.abs(rateOf(sent) / ratePps - 1)).toBeLessThan(0.03);
  });

  test.each([10, 1_000])(
    "is kept at %d packets/s, canaries and what the kernel refuses included",
    (ratePps) => {
      const plan = aPlan({ addresses: addressesOf(50), tcpPorts: [{ first: 1, last: 20 }], ratePps });
      const prober = new FakeProber(time);
      for (let host = 0; host < 50; host++) requestCanaries(plan.canaries, host);
      const tried: number[] = [];
      let n = 0;
      prober.accepts = ({ atMs }) => {
        tried.push(atMs);
        return n++ % 4 !== 0;
      };
      runLane(plan, time, prober);
      expect(tried.length).toBe(1_000 + 50 * CANARIES);
      const tookMs = (tried.at(-1) ?? 0) - (tried[0] ?? 0);
      expect(Math.abs(((tried.length - 1) * 1_000) / tookMs / ratePps - 1)).toBeLessThan(0.03);
      // On the way nothing is made up for in advance: no stretch has more than its share, a burst and one host's canaries.
      const times = tried.map((atMs) => atMs - (tried[0] ?? 0));
      times.forEach((atMs, i) => {
        const allowed = (atMs * ratePps) / 1_000 + Math.max(1, ratePps / 10) + 1 + CANARIES;
        expect(i + 1).toBeLessThanOrEqual(allowed);
      });
    },
  );

  test("is shared among the lanes", () => {
    const plan = aPlan({ addresses: addressesOf(100), ratePps: 300 }, { lanes: 3 });
    const { sent } = runLane({ ...plan, lane: 1 }, time);
    expect(Math.abs(rateOf(sent) / 100 - 1)).toBeLessThan(0.03);
  });

  test("follows a change on the way", () => {
    const plan = aPlan({ addresses: addressesOf(100), tcpPorts: [{ first: 1, last: 20 }], ratePps: 100 });
    const prober = new FakeProber(time);
    prober.onFlush = () => {
      if (prober.sent.length >= 1_000) plan.control.counters[RATE_PPS] = 1_000;
    };
    const { sent } = runLane(plan, time, prober);
    expect(Math.abs(rateOf(sent.slice(0, 1_000)) / 100 - 1)).toBeLessThan(0.03);
    expect(Math.abs(rateOf(sent.slice(1_001)) / 1_000 - 1)).toBeLessThan(0.03);
  });

  test("waits while the reader of answers is behind", () => {
    const plan = aPlan({ addresses: addressesOf(2) });
    const prober = new FakeProber(time);
    plan.records.cursors[0] = 40_000;
    prober.onIdle = () => {
      expect(prober.sent.length).toBe(0);
      prober.onIdle = () => undefined;
      plan.records.cursors[1] = 40_000;
    };
    runLane(plan, time, prober);
    expect(prober.sent.length).toBe(6);
  });
});

describe("waiting", () => {
  const atEnd = (sent: readonly SentProbe[]): number => time.nowMs - (sent.at(-1)?.atMs ?? 0);

  test("after the last pass as long as an answer may take, or as was asked for", () => {
    expect(atEnd(runLane(aPlan({ portTimeoutMs: 900 }), time).sent)).toBeWithin(900, 930);
    expect(atEnd(runLane(aPlan({ portTimeoutMs: 900, cooldownMs: 5_000 }), time).sent)).toBeWithin(
      5_000,
      5_030,
    );
  });

  test("on the local link ends once nothing has come for a while, and goes on as long as something does", () => {
    const plan = aPlan({ portTimeoutMs: 5_000, quietMs: 300 }, { reaches: ["on-link"] });
    expect(atEnd(runLane(plan, time).sent)).toBeWithin(300, 330);

    const again = aPlan({ portTimeoutMs: 5_000, quietMs: 300 }, { reaches: ["on-link"] });
    const prober = new FakeProber(time);
    const sink = new AnswerSink(again);
    let sentMs = 0;
    let late = 0;
    prober.onFlush = () => {
      sentMs = time.nowMs;
    };
    prober.onIdle = (nowMs) => {
      if (late < 4 && nowMs >= sentMs + 250 * (late + 1)) {
        sink.accept(late++, 0, reasonCode("syn-ack"), 64, FIRST_SOURCE_PORT);
      }
    };
    expect(atEnd(runLane(again, time, prober).sent)).toBeWithin(1_300, 1_350);
  });

  test("is not cut short for what is routed, nor for datagrams, however quiet it is", () => {
    const quiet = { portTimeoutMs: 5_000, quietMs: 300 };
    expect(aPlan(quiet, { reaches: ["gateway"] }).quietMs).toBe(Infinity);
    const udpPorts = [{ first: 53, last: 53 }];
    expect(aPlan({ ...quiet, udpPorts }, { reaches: ["on-link"] }).quietMs).toBe(Infinity);
    expect(aPlan({ portTimeoutMs: 5_000 }, { reaches: ["on-link"] }).quietMs).toBe(Infinity);
  });

  test("ends as soon as everything was answered, payloads and hosts that are not there included", () => {
    const plan = aPlan({ udpPorts: [{ first: 53, last: 53 }], portTimeoutMs: 60_000 });
    const prober = new FakeProber(time);
    prober.onFlush = answering(plan, () => true);
    expect(atEnd(runLane(plan, time, prober).sent)).toBeLessThan(100);
  });

  test("for connections: until they are decided", () => {
    const plan = aPlan({ link: "connect" }, { probing: "connect", firstSourcePort: 0 });
    const prober = new FakeProber(time);
    prober.underWay = 5;
    prober.onIdle = () => {
      prober.underWay--;
    };
    runLane(plan, time, prober);
    expect(prober.underWay).toBe(0);
  });
});

describe("canaries", () => {
  test("go out from their port, to ports that few use, and count as no probe of the scan", () => {
    const plan = aPlan({ addresses: addressesOf(10), retries: 1 });
    requestCanaries(plan.canaries, 7);
    const { sent } = runLane(plan, time);
    const canaries = sent.filter(({ sourcePort }) => sourcePort === canaryPort(FIRST_SOURCE_PORT, 2));
    expect(canaries.length).toBe(CANARIES);
    for (const { addressNumber, port } of canaries) {
      expect(addressNumber).toBe(7);
      expect(port).toBeWithin(20_000, 65_536);
    }
    expect(sent.length).toBe(60 + CANARIES);
    expect(sumOfLanes(plan.control, POSITION)).toBe(30);
  });

  test("are the first lane's, which stays until main says that they are over", () => {
    const plan = aPlan({ addresses: addressesOf(10) }, { lanes: 2 });
    requestCanaries(plan.canaries, 1);
    const other = new FakeProber(time);
    new Sender({ ...plan, lane: 1 }, other).run();
    expect(other.sent.every(({ sourcePort }) => sourcePort === FIRST_SOURCE_PORT)).toBe(true);

    const first = new FakeProber(time);
    let waits = 0;
    first.onIdle = () => {
      if (laneCounter(plan.control, 0, PASSES_DONE) === 0) return;
      waits++;
      if (waits === 10) requestCanaries(plan.canaries, 2);
      if (waits === 20) setFlag(plan.control, CANARIES_OVER, 1);
    };
    new Sender(plan, first).run();
    const hosts = first.sent.slice(15).map(({ addressNumber }) => addressNumber);
    expect(waits).toBe(20);
    expect(hosts.slice(-CANARIES)).toEqual([2, 2, 2]);
  });

  test("of a capped host are paid for by what comes after", () => {
    const plan = aPlan({
      addresses: addressesOf(1),
      tcpPorts: [{ first: 1, last: 40 }],
      maxRatePerHostPps: 10,
    });
    requestCanaries(plan.canaries, 0);
    const { sent } = runLane(plan, time);
    const [first] = sent;
    const last = sent.at(-1);
    if (first === undefined || last === undefined) throw new Error("nothing was sent");
    expect(sent.length).toBe(43);
    expect(last.atMs - first.atMs).toBeWithin(4_200 - 1, 4_300 + 1);
  });
});

test("a batch never holds more than there is room for, with many payloads, canaries and caps at once", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: BATCH_PACKETS }),
      fc.constantFrom(0, 100),
      fc.constantFrom(0, 50),
      (roomLeft, ratePps, maxRatePerHostPps) => {
        // These have several payloads each.
        const udpPorts = [53, 137, 500, 5_060].map((port) => ({ first: port, last: port }));
        const plan = aPlan({
          addresses: addressesOf(60),
          tcpPorts: [],
          udpPorts,
          ratePps,
          maxRatePerHostPps,
        });
        for (let host = 0; host < 60; host++) requestCanaries(plan.canaries, host);
        const prober = new FakeProber(time);
        // Fewer slots are free for a while, as when the kernel holds on to them.
        prober.roomLeft = roomLeft;
        prober.onIdle = () => {
          prober.roomLeft = BATCH_PACKETS;
        };
        expect(runLane(plan, time, prober).sent.length).toBe(wholeSpace(plan).length + 60 * CANARIES);
      },
    ),
    { numRuns: 100 },
  );
});

describe("soundings", () => {
  function sounding(ratePps: number, known: number): WorkerPlan {
    const plan = aPlan({ addresses: addressesOf(500), tcpPorts: [{ first: 1, last: 8 }], ratePps });
    for (let n = 0; n < known; n++) noteAnswering(plan.soundings, n, 80 + n);
    setFlag(plan.control, SOUNDING, 1);
    return plan;
  }
  const soundingsOf = (sent: readonly SentProbe[], epoch: number): SentProbe[] =>
    sent.filter(({ sourcePort }) => sourcePort === soundingPort(FIRST_SOURCE_PORT, 1, epoch));

  test.each([50, 640, 20_000])(
    "are one probe in eight at %d packets/s, and asked of what answered",
    (ratePps) => {
      const plan = sounding(ratePps, 40);
      const prober = new FakeProber(time);
      // Epochs change, as the search for the rate has it.
      prober.onFlush = () => setFlag(plan.control, SOUNDING_EPOCH, Math.floor(prober.sent.length / 400) % 4);
      const { sent } = runLane(plan, time, prober);
      const soundings = [0, 1, 2, 3].flatMap((epoch) => soundingsOf(sent, epoch));
      expect(soundings.length / sent.length).toBeWithin(0.11, 0.14);
      for (const { addressNumber, port } of soundings) expect(port).toBe(80 + addressNumber);
      const counted = [0, 1, 2, 3].map((epoch) => laneCounter(plan.control, 0, SOUNDINGS_SENT + epoch));
      expect(counted).toEqual([0, 1, 2, 3].map((epoch) => soundingsOf(sent, epoch).length));
      expect(sumOfLanes(plan.control, POSITION)).toBe(4_000);
    },
  );

  test("burden no port with more than a few in one epoch", () => {
    expect(soundingsOf(runLane(sounding(10_000, 3), time).sent, 0).length).toBe(12);
    expect(soundingsOf(runLane(sounding(10_000, 256), time).sent, 0).length).toBe(200);
    expect(soundingsOf(runLane(sounding(10_000, 0), time).sent, 0).length).toBe(0);
  });
});

describe("the kernel's refusals", () => {
  test("are counted, and take from what the first pass covered", () => {
    const plan = aPlan({ addresses: addressesOf(20), retries: 1 });
    const prober = new FakeProber(time);
    prober.accepts = ({ port }) => port !== 80;
    runLane(plan, time, prober);
    expect(sumOfLanes(plan.control, SEND_ERRORS)).toBe(40);
    expect(sumOfLanes(plan.control, REFUSED_FIRST_PASS)).toBe(20);
    expect(sumOfLanes(plan.control, PACKETS_SENT)).toBe(80);
    expect(sumOfLanes(plan.control, POSITION)).toBe(60);
  });

  test("what is not there needs no packet and is covered", () => {
    const plan = aPlan({ addresses: addressesOf(20) });
    const prober = new FakeProber(time);
    prober.absent = new Set([3, 4]);
    runLane(plan, time, prober);
    expect(prober.sent.length).toBe(54);
    expect(sumOfLanes(plan.control, POSITION)).toBe(60);
  });
});

describe("a scan that is stopped", () => {
  test("covers what it sent, what a cap holds back not included", () => {
    fc.assert(
      fc.property(scope, fc.nat(100), fc.constantFrom(0, 5), (scope, count, maxRatePerHostPps) => {
        const plan = aPlan({ ...scope, ratePps: 1_000, maxRatePerHostPps });
        const prober = new FakeProber(time);
        stopAfter(plan, prober, count);
        runLane(plan, time, prober);
        expect(sumOfLanes(plan.control, POSITION)).toBe(new Set(prober.sent.map(questionOf)).size);
      }),
      { numRuns: 60 },
    );
  });

  test("does not cover connections that it gives up, in whatever phase it is stopped", () => {
    const scan = (stop: (plan: WorkerPlan, prober: FakeProber) => void): number => {
      const plan = aPlan({ addresses: addressesOf(10) }, { probing: "connect" });
      const prober = new FakeProber(time);
      prober.underWay = 4;
      stop(plan, prober);
      runLane(plan, time, prober);
      return sumOfLanes(plan.control, POSITION);
    };
    expect(scan((plan, prober) => stopAfter(plan, prober, 30))).toBe(26);
    const whileWaiting = scan((plan, prober) => {
      prober.onIdle = () => setFlag(plan.control, STOP, STOP_SENDING);
    });
    expect(whileWaiting).toBe(26);
  });

  test("before it has begun sends nothing", () => {
    const plan = aPlan();
    setFlag(plan.control, STOP, STOP_SENDING);
    expect(runLane(plan, time).sent).toEqual([]);
    expect(sumOfLanes(plan.control, POSITION)).toBe(0);
  });
});

describe("a scan that is taken up again", () => {
  /** Runs lanes until they have sent so many probes each, then the rest in a second run. */
  function inTwoRuns(
    request: Partial<ScanRequest>,
    lanes: number,
    counts: readonly number[],
    answers: (probe: SentProbe) => boolean,
  ) {
    const first = aPlan(request, { lanes });
    const prepare =
      (plan: WorkerPlan, limit: number | undefined) =>
      (prober: FakeProber): void => {
        prober.onFlush = answering(plan, answers);
        if (limit !== undefined) stopAfter(plan, prober, limit);
      };
    const before: SentProbe[] = [];
    for (let lane = 0; lane < lanes; lane++) {
      // Lanes run one after the other here, so that each needs flags of its own.
      const flags = newControlBlock(0, 1).flags;
      const plan = { ...first, lane, control: { ...first.control, flags } };
      const prober = new FakeProber(time);
      prepare(plan, counts[lane])(prober);
      before.push(...runLane(plan, time, prober).sent);
    }
    const point = resumePointOf(first, 0);
    const second = aPlan({ ...request, resume: point }, { lanes });
    const after = runAll(second, prepare(second, undefined));
    return { first, second, before, after, point };
  }

  test("sends what is left: nothing is missed, and only what was under way comes twice", () => {
    fc.assert(
      fc.property(
        scope,
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 3, maxLength: 3 }),
        fc.constantFrom(0, 3),
        (scope, lanes, counts, maxRatePerHostPps) => {
          const request = { ...scope, retries: 1, ratePps: 3_000, portTimeoutMs: 50, maxRatePerHostPps };
          const isAnswered = ({ addressNumber, port }: SentProbe): boolean =>
            (addressNumber + port) % 3 === 0;
          const { second, before, after, point } = inTwoRuns(request, lanes, counts, isAnswered);
          const all = wholeSpace(second);
          const firstPass = [...before, ...after].filter(
            ({ sourcePort }) => sourcePort === FIRST_SOURCE_PORT,
          );
          const done = new Set(firstPass.map(nameOf));
          expect(all.filter((name) => !done.has(name))).toEqual([]);
          expect(sumOfLanes(second.control, POSITION)).toBe(second.space.size);
          expect(point.pass).toBeWithin(1, 3);
          const known = new Set(before.filter(isAnswered).map(questionOf));
          expect(after.map(questionOf).filter((question) => known.has(question))).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("begins where answers may still have been under way, no earlier than one time-out and a step before", () => {
    const request = {
      addresses: addressesOf(100),
      tcpPorts: [{ first: 1, last: 100 }],
      ratePps: 1_000,
      portTimeoutMs: 500,
    };
    const { point, before } = inTwoRuns(request, 1, [4_000], () => false);
    const [position = 0] = point.lanePositions;
    expect(before.length - position).toBeWithin(500 - 64, 500 + 50 + 2 * 64);
  });
});
