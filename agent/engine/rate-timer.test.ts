/** The rate search as it is driven: epoch by epoch, until somebody sets a rate by hand. */

import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { START_RATE_PPS } from "./accuracy/rate-search.ts";
import {
  addToLane,
  addTo,
  counter,
  flag,
  KERNEL_DROPS,
  PACKETS_SENT,
  RATE_PPS,
  SOUNDING,
  SOUNDING_EPOCH,
  SOUNDING_EPOCHS,
  SOUNDINGS_ANSWERED,
  SOUNDINGS_SENT,
} from "./control-block.ts";
import type { WorkerPlan } from "./plan.ts";
import { RateTimer } from "./rate-timer.ts";
import { aPlan } from "./testing/plan.ts";
import { SimulatedTime } from "./testing/simulated-time.ts";

const EPOCH_MS = 300;
let time: SimulatedTime;

beforeEach(() => {
  jest.useFakeTimers();
  time = new SimulatedTime();
});

afterEach(() => {
  time.restore();
  jest.useRealTimers();
});

/** One epoch of a scan that sends at its rate, of whose soundings this share is answered. */
function epoch({ control }: WorkerPlan, answeredShare: number, soundings = 100): void {
  addToLane(control, 0, PACKETS_SENT, (counter(control, RATE_PPS) * EPOCH_MS) / 1_000);
  const place = flag(control, SOUNDING_EPOCH) % SOUNDING_EPOCHS;
  addToLane(control, 0, SOUNDINGS_SENT + place, soundings);
  addTo(control, SOUNDINGS_ANSWERED + place, Math.round(soundings * answeredShare));
  time.nowMs += EPOCH_MS;
  jest.advanceTimersByTime(EPOCH_MS);
}

function started(plan: WorkerPlan): { timer: RateTimer; notes: string[] } {
  const notes: string[] = [];
  const timer = new RateTimer(plan, (message) => notes.push(message));
  timer.start();
  return { timer, notes };
}

test("raises the rate while all is answered, and says so", () => {
  const plan = aPlan({ ratePps: "auto" });
  const { timer, notes } = started(plan);
  expect(counter(plan.control, RATE_PPS)).toBe(START_RATE_PPS);
  expect(flag(plan.control, SOUNDING)).toBe(1);
  for (let i = 0; i < 12; i++) epoch(plan, 1);
  timer.stop();
  expect(counter(plan.control, RATE_PPS)).toBeGreaterThan(5 * START_RATE_PPS);
  expect(notes[0]).toBe("rate 1500 packets/s: 0.0 % lost");
  expect(flag(plan.control, SOUNDING_EPOCH)).toBe(12);
});

test("an answer that comes an epoch late still counts for its own", () => {
  const plan = aPlan({ ratePps: "auto" });
  const { timer, notes } = started(plan);
  for (let i = 0; i < 12; i++) {
    const place = flag(plan.control, SOUNDING_EPOCH) % SOUNDING_EPOCHS;
    const before = (place + SOUNDING_EPOCHS - 1) % SOUNDING_EPOCHS;
    if (i > 0) addTo(plan.control, SOUNDINGS_ANSWERED + before, 100);
    epoch(plan, 0);
  }
  timer.stop();
  expect(counter(plan.control, RATE_PPS)).toBeGreaterThan(5 * START_RATE_PPS);
  expect(notes.every((note) => note.endsWith(": 0.0 % lost"))).toBe(true);
});

test("lowers it when answers are lost, or when this host drops", () => {
  const lossy = aPlan({ ratePps: "auto" });
  const loss = started(lossy);
  epoch(lossy, 0.5);
  epoch(lossy, 0.5);
  loss.timer.stop();
  expect(counter(lossy.control, RATE_PPS)).toBeWithin(380, 400);

  const dropping = aPlan({ ratePps: "auto" });
  const drops = started(dropping);
  epoch(dropping, 1);
  addTo(dropping.control, KERNEL_DROPS, 7);
  epoch(dropping, 1);
  drops.timer.stop();
  expect(counter(dropping.control, RATE_PPS)).toBe(700);
  expect(drops.notes).toEqual(["rate 700 packets/s: this host dropped 7 packets"]);
});

test("a rate that was set by hand stands, and soundings end", () => {
  const plan = aPlan({ ratePps: "auto" });
  const { notes } = started(plan);
  epoch(plan, 1);
  plan.control.counters[RATE_PPS] = 123;
  for (let i = 0; i < 5; i++) epoch(plan, 1);
  expect(counter(plan.control, RATE_PPS)).toBe(123);
  expect(flag(plan.control, SOUNDING)).toBe(0);
  expect(notes).toEqual([]);
});

test("connections sound nothing: they would all seem lost", () => {
  const plan = aPlan({ ratePps: "auto" }, { probing: "connect" });
  const { timer } = started(plan);
  expect(flag(plan.control, SOUNDING)).toBe(0);
  for (let i = 0; i < 60; i++) epoch(plan, 0, 0);
  timer.stop();
  expect(counter(plan.control, RATE_PPS)).toBe(10_000);
});
