/** Hosts on the link that answered ARP are reported once each, whatever windows and shards, and when the search was cut short. */

import { expect, test } from "bun:test";
import { AnswerSink } from "./answers.ts";
import {
  counter,
  DUPLICATES,
  FINISH,
  flag,
  OPEN,
  PACKETS_REJECTED,
  setFlag,
  STOP,
  WINDOW,
  WINDOW_OPEN,
} from "./control-block.ts";
import { clearWindow } from "./dedup.ts";
import type { WorkerPlan } from "./plan.ts";
import { receiveReplies } from "./receiver.ts";
import { readRecords } from "./records.ts";
import { addressesOf, aPlan, learnHop, readyNeighbours } from "./testing/plan.ts";

/** Receives nothing; each look at it is a step of `steps`, and the last one ends the scan. */
function runSteps(plan: WorkerPlan, steps: readonly (() => void)[]): void {
  const left = [...steps, () => setFlag(plan.control, STOP, FINISH)];
  receiveReplies(
    plan,
    { receive: () => left.shift()?.(), kernelDrops: () => 0 },
    new AnswerSink(plan),
    undefined,
  );
}

function enterWindow(plan: WorkerPlan, window: number): void {
  setFlag(plan.control, WINDOW, window);
  clearWindow(plan.answered, window);
  setFlag(plan.control, WINDOW_OPEN, window);
}

function reported(plan: WorkerPlan): number[] {
  return readRecords(plan.records, 10_000)
    .map(({ addressNumber }) => addressNumber)
    .toSorted((a, b) => a - b);
}

test("in a scan of several windows each in its own", () => {
  const plan = aPlan({ find: "hosts", addresses: addressesOf(300) }, { reaches: ["on-link"], maxBits: 128 });
  const there = Array.from({ length: 100 }, (_, i) => i * 3);
  for (const hop of there) learnHop(plan, hop);
  readyNeighbours(plan);
  const later = Array.from({ length: plan.answered.windows - 1 }, (_, i) => () => enterWindow(plan, i + 1));
  expect(later.length).toBeGreaterThan(2);
  // Two looks in each window: the second finds nothing new.
  runSteps(plan, [() => undefined, ...later.flatMap((enter) => [enter, () => undefined])]);
  expect(flag(plan.control, WINDOW)).toBe(later.length);
  expect(reported(plan)).toEqual(there);
  expect(counter(plan.control, OPEN)).toBe(there.length);
  expect(counter(plan.control, PACKETS_REJECTED) + counter(plan.control, DUPLICATES)).toBe(0);
});

test("those of other shards are neither reported nor counted as rejected packets", () => {
  const all = [0, 1, 2].flatMap((index) => {
    const plan = aPlan(
      { find: "hosts", addresses: addressesOf(50), shard: { index, count: 3 } },
      { reaches: ["on-link"] },
    );
    for (let hop = 0; hop < 50; hop++) learnHop(plan, hop);
    readyNeighbours(plan);
    runSteps(plan, [() => undefined]);
    expect(counter(plan.control, PACKETS_REJECTED)).toBe(0);
    return reported(plan);
  });
  expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test("what a search found before it was cut short is kept; nothing is told while it goes on", () => {
  const plan = aPlan({ find: "hosts", addresses: addressesOf(10) }, { reaches: ["on-link"] });
  const counts: number[] = [];
  const look = (): void => void counts.push(counter(plan.control, OPEN));
  learnHop(plan, 4);
  runSteps(plan, [look, look, () => void Atomics.store(plan.neighbours.ready, 0, 2)]);
  expect(counts).toEqual([0, 0]);
  expect(reported(plan)).toEqual([4]);
});
