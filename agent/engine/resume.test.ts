/** A stopped scan as a value, and that value as the beginning of another. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  addTo,
  CLOSED,
  counter,
  DUPLICATES,
  KERNEL_DROPS,
  LANE_WINDOW,
  OPEN,
  OPEN_BY_PASS,
  PASS,
  REFUSED_FIRST_PASS,
  RESUME_POSITION,
  setLane,
  SOUNDINGS_ANSWERED,
} from "./control-block.ts";
import { isAnswered, markAnswered, newAnsweredSet } from "./dedup.ts";
import type { ScanRequest, WorkerPlan } from "./plan.ts";
import { resumePointOf, restoreAnswered } from "./resume.ts";
import { addressesOf, aPlan } from "./testing/plan.ts";

const SCAN: Partial<ScanRequest> = {
  addresses: addressesOf(30, 3),
  tcpPorts: [{ first: 1, last: 7 }],
  retries: 2,
};

interface Stand {
  readonly window?: number;
  readonly pass: number;
  readonly position: number;
}

function setLanes({ control }: WorkerPlan, lanes: readonly Stand[]): void {
  lanes.forEach(({ window = 0, pass, position }, lane) => {
    setLane(control, lane, LANE_WINDOW, window);
    setLane(control, lane, PASS, pass);
    setLane(control, lane, RESUME_POSITION, position);
  });
}

test("what was found and answered is there again, and the scan goes on where it stood", () => {
  const positions = fc.array(fc.nat(33 * 7 - 1), { maxLength: 100 });
  fc.assert(
    fc.property(
      positions,
      fc.nat(1_000),
      fc.integer({ min: 1, max: 3 }),
      fc.nat(100),
      (answered, open, pass, position) => {
        const plan = aPlan(SCAN, { lanes: 2 });
        for (const bit of answered) markAnswered(plan.answered.words, bit);
        addTo(plan.control, KERNEL_DROPS, 4);
        addTo(plan.control, OPEN, open);
        addTo(plan.control, CLOSED, 3);
        addTo(plan.control, OPEN_BY_PASS + 2, 5);
        addTo(plan.control, DUPLICATES, 9);
        setLane(plan.control, 1, REFUSED_FIRST_PASS, 6);
        setLanes(plan, [
          { pass, position },
          { pass, position: position + 3 },
        ]);
        const resume = resumePointOf(plan, 7);
        expect(resume).toMatchObject({
          window: 0,
          pass,
          lanePositions: [position, position + 3],
          refused: 6,
          withheld: 7,
        });
        const again = aPlan({ ...SCAN, resume }, { lanes: 2 });
        expect(again.answered).toEqual(plan.answered);
        for (let place = KERNEL_DROPS; place < SOUNDINGS_ANSWERED; place++) {
          expect(counter(again.control, place)).toBe(counter(plan.control, place));
        }
        expect(counter(again.control, DUPLICATES)).toBe(0);
        // Nothing was done in between, so it stands where it stood.
        setLanes(again, [
          { pass, position },
          { pass, position: position + 3 },
        ]);
        expect(resumePointOf(again, 7)).toEqual(resume);
      },
    ),
    { numRuns: 40 },
  );
});

test("a lane that is a pass ahead has done all of the pass of the others", () => {
  const plan = aPlan(SCAN, { lanes: 2 });
  setLanes(plan, [
    { pass: 2, position: 9 },
    { pass: 1, position: 40 },
  ]);
  expect(resumePointOf(plan, 0)).toMatchObject({ window: 0, pass: 1, lanePositions: [116, 40] });
});

test("a lane that is a window ahead has done all of the window of the others", () => {
  const plan = aPlan(SCAN, { lanes: 3, maxBits: 64 });
  setLanes(plan, [
    { window: 2, pass: 1, position: 0 },
    { window: 1, pass: 3, position: 5 },
    { window: 2, pass: 1, position: 3 },
  ]);
  // Windows of 32 positions among three lanes.
  const resume = resumePointOf(plan, 0);
  expect(resume).toMatchObject({ window: 1, pass: 3, lanePositions: [11, 5, 10] });
  const again = aPlan({ ...SCAN, resume }, { lanes: 3, maxBits: 64 });
  expect(again.answered).toEqual(plan.answered);
});

test("a scan that was stopped before its threads began starts anew", () => {
  expect(resumePointOf(aPlan(SCAN), 0)).toMatchObject({ window: 0, pass: 1, lanePositions: [0] });
});

describe("restoreAnswered", () => {
  const mismatch = expect.objectContaining({ code: "RESUME_MISMATCH" });
  const packed = (bytes: number): Uint8Array => Bun.gzipSync(new Uint8Array(bytes).fill(255));

  test("takes the bits of a set of the same size, from wherever they lie in memory", () => {
    const set = restoreAnswered(newAnsweredSet(100), packed(16));
    expect([0, 99].map((bit) => isAnswered(set.words, bit))).toEqual([true, true]);
    const whole = packed(16);
    const shifted = new Uint8Array(whole.length + 3);
    shifted.set(whole, 3);
    expect(restoreAnswered(newAnsweredSet(100), shifted.subarray(3)).words).toEqual(set.words);
  });

  test("knows of nothing where nothing was kept", () => {
    expect(restoreAnswered(newAnsweredSet(100), undefined).words.every((word) => word === 0)).toBe(true);
  });

  test("refuses a set of another size, and one of a scan of several windows", () => {
    for (const bytes of [0, 12, 15, 20]) {
      expect(() => restoreAnswered(newAnsweredSet(100), packed(bytes))).toThrow(mismatch);
    }
    expect(() => restoreAnswered(newAnsweredSet(1_000, 128), packed(128))).toThrow(mismatch);
  });

  test("refuses what is no compressed set at all", () => {
    expect(() => restoreAnswered(newAnsweredSet(100), new Uint8Array([1, 2, 3]))).toThrow(mismatch);
    expect(() => restoreAnswered(newAnsweredSet(100), packed(16).subarray(0, 12))).toThrow(mismatch);
  });
});
