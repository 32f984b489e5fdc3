/**
 * Proves by bitmap that a scan asks every probe exactly once: walks the order of all shards, windows and senders as the
 * engine does, sets a bit for each probe, and looks for bits that are set twice or never. Exit code 1 where there are any.
 * A one-off, too long for the tests: 2³² + 15 probes take 512 MiB and some minutes. Sends nothing.
 *
 *   --probes=N    size of the space (default: 4294967311, the first prime beyond 2³²)
 *   --seed=N      of the order (default: 1)
 *   --shards=N    parts of the order (default: 1)
 *   --senders=N   lanes of each part (default: 1)
 */

import { parseArgs } from "node:util";
import { newAnsweredSet, windowBit } from "../agent/engine/dedup.ts";
import { type LaneWindow, laneWindow, shardSize } from "../agent/engine/targets/lane.ts";
import { newPermutation, type Permutation, permute } from "../agent/engine/targets/permutation.ts";

const MAX_PROBES = 2 ** 33;
const MAX_PARTS = 1_024;

interface Proof {
  walked: number;
  repeated: number;
}

function main(): void {
  const { values } = parseArgs({
    options: {
      probes: { type: "string", default: String(2 ** 32 + 15) },
      seed: { type: "string", default: "1" },
      shards: { type: "string", default: "1" },
      senders: { type: "string", default: "1" },
    },
  });
  const size = wholeNumber("--probes", values.probes, 1, MAX_PROBES);
  const seed = wholeNumber("--seed", values.seed, 0, 2 ** 48);
  const count = wholeNumber("--shards", values.shards, 1, MAX_PARTS);
  const lanes = wholeNumber("--senders", values.senders, 1, MAX_PARTS);

  const permutation = newPermutation(size, seed);
  const bits = new Int32Array(Math.ceil(size / 32));
  const proof: Proof = { walked: 0, repeated: 0 };
  const startMs = performance.now();
  for (let index = 0; index < count; index++) {
    const shard = { index, count };
    const answered = newAnsweredSet(shardSize(size, shard));
    for (let window = 0; window < answered.windows; window++) {
      for (let lane = 0; lane < lanes; lane++) {
        const order = laneWindow(
          { permutation, shard, answered },
          window,
          windowBit(answered, window),
          lane,
          lanes,
        );
        proof.repeated += walk(bits, order, permutation);
        proof.walked += order.count;
      }
    }
    process.stderr.write(`shard ${index + 1} of ${count}: ${proof.walked} probes walked\n`);
  }
  const missing = size - countSet(bits);
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
  const { walked, repeated } = proof;
  process.stdout.write(
    `${size} probes: ${walked} walked, ${repeated} twice, ${missing} never, ${seconds} s\n`,
  );
  if (walked !== size || repeated > 0 || missing > 0) process.exitCode = 1;
}

/** @throws Error naming the option */
function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new Error(`${name}: not a whole number from ${least} to ${most}: ${text}`);
  }
  return value;
}

/** Sets the bit of every probe of a lane. Returns how many were set before. */
function walk(bits: Int32Array, order: LaneWindow, { size, a, b, key0, key1 }: Permutation): number {
  const { count, firstPosition, step } = order;
  let repeated = 0;
  for (let j = 0; j < count; j++) {
    const index = permute(firstPosition + j * step, size, a, b, key0, key1);
    // Beyond 2³²: the word by division, the bit by what is left of it.
    const at = Math.floor(index / 32);
    const bit = 1 << (index - at * 32);
    const word = bits[at] ?? 0;
    if ((word & bit) !== 0) repeated++;
    bits[at] = word | bit;
  }
  return repeated;
}

function countSet(bits: Int32Array): number {
  let set = 0;
  for (let word of bits) {
    for (; word !== 0; word &= word - 1) set++;
  }
  return set;
}

main();
