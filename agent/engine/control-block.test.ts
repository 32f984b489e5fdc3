/** The shared words: counters by place and lane that do not run into each other. */

import { expect, test } from "bun:test";
import { MAX_RETRIES } from "#shared/protocol/limits.ts";
import {
  addTo,
  addToLane,
  ANSWERS_BY_PASS,
  counter,
  flag,
  laneCount,
  laneCounter,
  MAX_PASSES,
  newControlBlock,
  OPEN_BY_PASS,
  POSITION,
  RATE_PPS,
  RUN,
  setFlag,
  setLane,
  sleepUnlessStopped,
  SOUNDING_EPOCHS,
  SOUNDINGS_ANSWERED,
  SOUNDINGS_SENT,
  STOP,
  STOP_SENDING,
  sumOfLanes,
} from "./control-block.ts";

test("has room for every pass that a request may ask for", () => {
  expect(MAX_PASSES).toBeGreaterThanOrEqual(MAX_RETRIES + 1);
});

test("begins with the rate and nothing else", () => {
  const block = newControlBlock(250, 2);
  expect(counter(block, RATE_PPS)).toBe(250);
  expect(block.counters.slice(1).every((value) => value === 0)).toBe(true);
  expect(block.lanes.every((value) => value === 0)).toBe(true);
  expect(flag(block, STOP)).toBe(RUN);
  for (const { buffer } of [block.flags, block.counters, block.lanes]) {
    expect(buffer).toBeInstanceOf(SharedArrayBuffer);
  }
});

test("counters by pass and by epoch have places of their own, the last included", () => {
  const block = newControlBlock(0, 1);
  const places = [
    ...Array.from({ length: MAX_PASSES }, (_, pass) => OPEN_BY_PASS + pass),
    ...Array.from({ length: MAX_PASSES }, (_, pass) => ANSWERS_BY_PASS + pass),
    ...Array.from({ length: SOUNDING_EPOCHS }, (_, epoch) => SOUNDINGS_ANSWERED + epoch),
  ];
  for (const place of places) addTo(block, place, 1);
  expect(places.map((place) => counter(block, place))).toEqual(places.map(() => 1));
  expect(Math.max(...places)).toBe(block.counters.length - 1);
});

test("each lane has counters of its own", () => {
  const block = newControlBlock(0, 3);
  expect(laneCount(block)).toBe(3);
  setLane(block, 0, POSITION, 5);
  addToLane(block, 2, POSITION, 7);
  addToLane(block, 2, POSITION, 1);
  addToLane(block, 1, SOUNDINGS_SENT + SOUNDING_EPOCHS - 1, 4);
  expect([0, 1, 2].map((lane) => laneCounter(block, lane, POSITION))).toEqual([5, 0, 8]);
  expect(sumOfLanes(block, POSITION)).toBe(13);
});

test("who sleeps is not kept from stopping", () => {
  const block = newControlBlock(0, 1);
  setFlag(block, STOP, STOP_SENDING);
  // Would outlast the test's own time.
  sleepUnlessStopped(block, 600_000);
  sleepUnlessStopped(newControlBlock(0, 1), 0);
  expect(flag(block, STOP)).toBe(STOP_SENDING);
});
