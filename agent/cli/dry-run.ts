/** `scan --dry-run`: what would be probed, in order. Needs no privilege and no network, and asks neither. */

import { setImmediate } from "node:timers/promises";
import { questionsOf } from "../engine/compile-plan.ts";
import { type AnsweredSet, newAnsweredSet, windowBit } from "../engine/dedup.ts";
import { dryRunChunks, type DryRunFormat, type Positions } from "../engine/dry-run.ts";
import type { ScanRequest } from "../engine/plan.ts";
import { restoreAnswered } from "../engine/resume.ts";
import { laneWindow, shardSize, type Sharded } from "../engine/targets/lane.ts";
import { newPermutation } from "../engine/targets/permutation.ts";
import { buildSpace } from "../engine/targets/space.ts";
import { stretchesOf } from "../engine/targets/stretches.ts";
import { EXIT_INTERRUPTED } from "./exit-codes.ts";
import { refuse } from "./option-values.ts";
import type { OutputSink } from "./output-sink.ts";

/**
 * Writes until the end, until the reader goes away, or until interrupted. Of a scan that is taken up again it lists what
 * the pass in which it stood has left.
 * @returns the exit code
 * @throws UsageError where binary records cannot hold the scan, or the resume file belongs to another
 */
export async function dryRun(
  request: ScanRequest,
  format: DryRunFormat,
  sink: OutputSink,
  interrupted: AbortSignal,
): Promise<number> {
  if (format === "binary") requireBinary(request);
  const { seed, shard, resume } = request;
  const space = buildSpace(stretchesOf(request.addresses), questionsOf(request));
  const permutation = newPermutation(space.size, seed);
  const answered = restoreAnswered(newAnsweredSet(shardSize(space.size, shard)), resume?.answered);
  const positions = resumedPositions({ permutation, shard, answered }, resume);
  for (const chunk of dryRunChunks(space, permutation, positions, answered.words, format)) {
    if (!(await sink.write(chunk))) return 0;
    // A file takes text without ever going back to the event loop, and then no signal would be seen.
    await setImmediate();
    if (interrupted.aborted) return EXIT_INTERRUPTED;
  }
  return 0;
}

/** What each lane has left of the window in which it stood, and then all later windows. */
function resumedPositions(
  sharded: Sharded & { readonly answered: AnsweredSet },
  resume: ScanRequest["resume"],
): Positions[] {
  const { answered } = sharded;
  const positions: Positions[] = [];
  const lanePositions = resume?.lanePositions ?? [0];
  for (let window = resume?.window ?? 0; window < answered.windows; window++) {
    lanePositions.forEach((done, lane) => {
      const laneOf = laneWindow(sharded, window, windowBit(answered, window), lane, lanePositions.length);
      positions.push({ lane: laneOf, from: window === (resume?.window ?? 0) ? done : 0 });
    });
  }
  return positions;
}

function requireBinary({ addresses, find, udpPorts }: ScanRequest): void {
  if (addresses.v6.length > 0) {
    refuse(
      "--format binary has no room for IPv6 addresses; leave it out, or leave them out with -4 or --exclude ::/0",
    );
  }
  if (find === "hosts" || udpPorts.length > 0) {
    refuse(
      "--format binary holds addresses with TCP ports only; leave it out for UDP and for --only-discover",
    );
  }
}
