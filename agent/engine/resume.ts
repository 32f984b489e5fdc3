/** Where a stopped scan can be taken up again: what its threads had done, as a value that can be kept. */

import { UsageError } from "#shared/errors.ts";
import {
  counter,
  KERNEL_DROPS,
  laneCount,
  LANE_WINDOW,
  laneCounter,
  MAX_PASSES,
  PASS,
  REFUSED_FIRST_PASS,
  RESUME_POSITION,
  SOUNDINGS_ANSWERED,
  sumOfLanes,
} from "./control-block.ts";
import type { AnsweredSet } from "./dedup.ts";
import type { ResumePoint, WorkerPlan } from "./plan.ts";
import { laneWindow } from "./targets/lane.ts";

/**
 * To be asked when the threads have ended.
 * @param withheld open ports that were counted and not listed
 */
export function resumePointOf(plan: WorkerPlan, withheld: number): ResumePoint {
  const { control, answered } = plan;
  const lanes = Array.from({ length: laneCount(control) }, (_, lane) => lane);
  // Windows and passes as one number that grows.
  const stages = lanes.map(
    (lane) =>
      laneCounter(control, lane, LANE_WINDOW) * MAX_PASSES +
      Math.max(1, laneCounter(control, lane, PASS)) -
      1,
  );
  const stage = Math.min(...stages);
  const window = Math.floor(stage / MAX_PASSES);
  return {
    window,
    pass: (stage % MAX_PASSES) + 1,
    // A lane that is ahead has done all of this pass.
    lanePositions: lanes.map((lane) =>
      stages[lane] === stage
        ? laneCounter(control, lane, RESUME_POSITION)
        : laneWindow(plan, window, 0, lane, lanes.length).count,
    ),
    answered: Bun.gzipSync(bytesOf(answered)),
    kept: Array.from({ length: SOUNDINGS_ANSWERED - KERNEL_DROPS }, (_, i) =>
      counter(control, KERNEL_DROPS + i),
    ),
    refused: sumOfLanes(control, REFUSED_FIRST_PASS),
    withheld,
  };
}

/**
 * Marks what had been answered before.
 * @throws UsageError RESUME_MISMATCH when it belongs to another scan
 */
export function restoreAnswered(set: AnsweredSet, compressed: Uint8Array | undefined): AnsweredSet {
  if (compressed === undefined) return set;
  const bytes = decompressed(compressed);
  if (bytes?.length !== set.words.byteLength) {
    throw new UsageError("RESUME_MISMATCH", "the resume file belongs to a scan of other targets or ports");
  }
  set.words.set(new Int32Array(bytes.buffer, bytes.byteOffset, set.words.length));
  return set;
}

/** Undefined where it is broken. */
function decompressed(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  try {
    // A plain copy: the decompressor wants bytes that are not shared.
    return Bun.gunzipSync(bytes.slice());
  } catch {
    return undefined;
  }
}

/** A copy, because the set lies in shared memory. */
function bytesOf({ words }: AnsweredSet): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(words.byteLength);
  copy.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  return copy;
}
