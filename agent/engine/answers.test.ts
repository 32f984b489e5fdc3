/** Each question counts once, under its state and its pass, and is passed on only where that state was asked for. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { PORT_STATES, type PortState } from "#shared/protocol/port-state.ts";
import { knownTargets } from "./accuracy/soundings.ts";
import { AnswerSink } from "./answers.ts";
import {
  ANSWERS_BY_PASS,
  CLOSED,
  type ControlBlock,
  counter,
  DUPLICATES,
  FILTERED_BY_ANSWER,
  OPEN,
  OPEN_BY_PASS,
  PASS,
  setLane,
  SOUNDING_EPOCHS,
  SOUNDINGS_ANSWERED,
} from "./control-block.ts";
import { TCP_SYN } from "./packet/probe-kind.ts";
import { REASON_NAMES, reasonCode, stateOfReason } from "./packet/reason.ts";
import { readRecords } from "./records.ts";
import { canaryPort, portOfPass, soundingPort } from "./source-port-roles.ts";
import { kindOfQuestion } from "./targets/questions.ts";
import { addressesOf, aPlan, FIRST_SOURCE_PORT } from "./testing/plan.ts";

const ADDRESSES = 4;
const PASSES = 3;

function countsOf(control: ControlBlock): Record<PortState | "duplicates", number> {
  return {
    open: counter(control, OPEN),
    closed: counter(control, CLOSED),
    filtered: counter(control, FILTERED_BY_ANSWER),
    duplicates: counter(control, DUPLICATES),
  };
}

function byPass(control: ControlBlock, place: number): number[] {
  return Array.from({ length: PASSES }, (_, pass) => counter(control, place + pass));
}

const scanOf = (report: readonly PortState[]) =>
  aPlan({
    addresses: addressesOf(ADDRESSES),
    tcpPorts: [{ first: 80, last: 83 }],
    udpPorts: [{ first: 53, last: 55 }],
    retries: PASSES - 1,
    report,
  });
const QUESTIONS = scanOf(["open"]).space.questions;

const answer = fc.record({
  addressNumber: fc.nat(ADDRESSES - 1),
  question: fc.nat(QUESTIONS.count - 1),
  reason: fc.constantFrom(...REASON_NAMES),
  pass: fc.integer({ min: 1, max: PASSES }),
});
type Answer = typeof answer extends fc.Arbitrary<infer T> ? T : never;
const stateOf = ({ question, reason }: Answer): PortState =>
  stateOfReason(kindOfQuestion(QUESTIONS, question), reason);

describe("answers of a port scan", () => {
  test("the first of a question decides, whatever comes after it and in whatever order", () => {
    const report = fc.subarray([...PORT_STATES]);
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 200 }), report, (answers, report) => {
        const plan = scanOf(report);
        const { control, records } = plan;
        const sink = new AnswerSink(plan);
        const first = new Map<string, Answer>();
        for (const answer of answers) {
          const { addressNumber, question, reason, pass } = answer;
          const name = `${addressNumber} ${question}`;
          if (!first.has(name)) first.set(name, answer);
          sink.accept(addressNumber, question, reasonCode(reason), 64, portOfPass(FIRST_SOURCE_PORT, pass));
        }

        const counted = [...first.values()];
        const count = (state: PortState): number => counted.filter((one) => stateOf(one) === state).length;
        expect(countsOf(control)).toEqual({
          open: count("open"),
          closed: count("closed"),
          filtered: count("filtered"),
          duplicates: answers.length - first.size,
        });
        const tcp = counted.filter(
          (one) => kindOfQuestion(QUESTIONS, one.question) === TCP_SYN && stateOf(one) !== "filtered",
        );
        const ofPass = (some: Answer[], pass: number): number =>
          some.filter((one) => one.pass === pass).length;
        expect(byPass(control, ANSWERS_BY_PASS)).toEqual([1, 2, 3].map((pass) => ofPass(tcp, pass)));
        const open = tcp.filter((one) => stateOf(one) === "open");
        expect(byPass(control, OPEN_BY_PASS)).toEqual([1, 2, 3].map((pass) => ofPass(open, pass)));
        expect(knownTargets(plan.soundings)).toBe(tcp.length);
        expect(readRecords(records, Infinity)).toEqual(
          counted
            .filter((one) => report.includes(stateOf(one)))
            .map(({ addressNumber, question, reason, pass }) => ({
              addressNumber,
              question,
              reason: reasonCode(reason),
              ttl: 64,
              ourPort: portOfPass(FIRST_SOURCE_PORT, pass),
              timeMs: expect.any(Number),
            })),
        );
      }),
      { numRuns: 50 },
    );
  });

  test("a connection has no port of ours: it counts for the pass that is being made", () => {
    const plan = scanOf([]);
    const sink = new AnswerSink(plan);
    for (const pass of [1, 3]) {
      setLane(plan.control, 0, PASS, pass);
      sink.accept(pass, 0, reasonCode("reset"), 0, 0);
    }
    expect(byPass(plan.control, ANSWERS_BY_PASS)).toEqual([1, 0, 1]);
  });
});

describe("host discovery", () => {
  test("a sign of life counts once, and an error message says nothing", () => {
    const plan = aPlan({ find: "hosts", addresses: addressesOf(3), report: ["open"] });
    const sink = new AnswerSink(plan);
    sink.accept(0, 0, reasonCode("host-unreachable"), 64, FIRST_SOURCE_PORT);
    sink.accept(0, 0, reasonCode("reset"), 64, FIRST_SOURCE_PORT);
    sink.accept(0, 0, reasonCode("echo-reply"), 64, FIRST_SOURCE_PORT);
    sink.accept(2, 0, reasonCode("arp-reply"), 0, FIRST_SOURCE_PORT);
    expect(countsOf(plan.control)).toEqual({ open: 2, closed: 0, filtered: 0, duplicates: 1 });
    expect(byPass(plan.control, OPEN_BY_PASS)).toEqual([0, 0, 0]);
    expect(readRecords(plan.records, 10).map(({ addressNumber }) => addressNumber)).toEqual([0, 2]);
  });
});

describe("answers to other probes", () => {
  test("of canaries go to whoever watches, whatever was asked to be reported; nothing is counted", () => {
    const plan = scanOf([]);
    const sink = new AnswerSink(plan);
    const port = canaryPort(FIRST_SOURCE_PORT, PASSES);
    sink.acceptOther(3, 65_535, reasonCode("syn-ack"), 60, port);
    sink.acceptOther(3, 0, reasonCode("reset"), 60, port);
    expect(readRecords(plan.records, 10)).toMatchObject([
      { addressNumber: 3, question: -65_536, reason: reasonCode("syn-ack"), ourPort: port },
      { addressNumber: 3, question: -1, reason: reasonCode("reset") },
    ]);
    expect(countsOf(plan.control)).toEqual({ open: 0, closed: 0, filtered: 0, duplicates: 0 });
  });

  test("of canaries that are repeated do not fill the ring", () => {
    const plan = scanOf([]);
    const sink = new AnswerSink(plan);
    const port = canaryPort(FIRST_SOURCE_PORT, PASSES);
    for (let i = 0; i < 1_000; i++) sink.acceptOther(3, 40_000, reasonCode("syn-ack"), 60, port);
    sink.acceptOther(3, 40_001, reasonCode("syn-ack"), 60, port);
    expect(readRecords(plan.records, 10).map(({ question }) => question)).toEqual([-40_001, -40_002]);
  });

  test("of soundings count for their epoch and nothing else", () => {
    const plan = scanOf(["open"]);
    const sink = new AnswerSink(plan);
    for (const epoch of [0, 3, 3, 5]) {
      sink.acceptOther(1, 80, reasonCode("syn-ack"), 64, soundingPort(FIRST_SOURCE_PORT, PASSES, epoch));
    }
    const answered = Array.from({ length: SOUNDING_EPOCHS }, (_, i) =>
      counter(plan.control, SOUNDINGS_ANSWERED + i),
    );
    expect(answered).toEqual([1, 1, 0, 2]);
    expect(readRecords(plan.records, 10)).toEqual([]);
  });
});
