/**
 * The probes of a scan in the order in which they would go out, and nothing sent. The same numbering, permutation and
 * shards as the engine's, so what this lists is what a scan does.
 */

import { isAnswered } from "./dedup.ts";
import { type LineEnds, lineEnds, writeLines } from "./dry-run-lines.ts";
import { ICMP_ECHO, TCP_SYN, UDP } from "./packet/probe-kind.ts";
import type { LaneWindow } from "./targets/lane.ts";
import { kindOfQuestion, portOfQuestion } from "./targets/questions.ts";
import { type Permutation, permute } from "./targets/permutation.ts";
import type { ProbeSpace } from "./targets/space.ts";
import { stretchOfNumber } from "./targets/stretches.ts";

export type DryRunFormat = "text" | "binary";

/** What to list: the positions of a lane from its j-th on. */
export interface Positions {
  readonly lane: LaneWindow;
  readonly from: number;
}

/** Bytes of one binary record: address and port, big-endian (`!IH` to Python's struct). */
export const RECORD_BYTES = 6;
const POSITIONS_PER_CHUNK = 8_192;

/**
 * The listing in chunks of some 100 KB, each in memory of its own. Text has a line a question, `10.0.0.1 80`,
 * `10.0.0.1 53/udp`, or the address alone where hosts are looked for; binary has a record a question.
 * @param positions listed one after the other
 * @param answered bits of questions to leave out
 * @throws Error where binary is asked for what its records cannot hold
 */
export function* dryRunChunks(
  space: ProbeSpace,
  permutation: Permutation,
  positions: readonly Positions[],
  answered: Int32Array | undefined,
  format: DryRunFormat,
): Generator<Uint8Array> {
  const { questions } = space;
  if (
    format === "binary" &&
    (space.v6Firsts.length > 0 || questions.kinds.some((kind) => kind !== TCP_SYN))
  ) {
    throw new Error("binary records hold IPv4 addresses and TCP ports only");
  }
  const suffixes = Array.from({ length: questions.count }, (_, question) =>
    suffixOf(kindOfQuestion(questions, question), portOfQuestion(questions, question)),
  );
  const ends = lineEnds(suffixes);
  for (const { lane, from: first } of positions) {
    for (let from = first; from < lane.count; from += POSITIONS_PER_CHUNK) {
      const to = Math.min(lane.count, from + POSITIONS_PER_CHUNK);
      const chunk =
        format === "text"
          ? textLines(space, permutation, ends, answered, from, to, lane)
          : binaryRecords(space, permutation, answered, from, to, lane);
      if (chunk.length > 0) yield chunk;
    }
  }
}

function suffixOf(kind: number, port: number): string {
  return kind === ICMP_ECHO ? "" : kind === UDP ? ` ${port}/udp` : ` ${port}`;
}

function textLines(
  space: ProbeSpace,
  permutation: Permutation,
  ends: LineEnds,
  answered: Int32Array | undefined,
  from: number,
  to: number,
  lane: LaneWindow,
): Uint8Array {
  const bytes = new Uint8Array((to - from) * ends.maxLineBytes);
  return bytes.subarray(0, writeLines(bytes, space, permutation, ends, answered, from, to, lane));
}

function binaryRecords(
  { v4Firsts, offsets, questions }: ProbeSpace,
  { size, a, b, key0, key1 }: Permutation,
  answered: Int32Array | undefined,
  from: number,
  to: number,
  { firstPosition, step, firstBit, bitStep }: LaneWindow,
): Uint8Array {
  const bytes = new Uint8Array((to - from) * RECORD_BYTES);
  const length = fillRecords(
    bytes,
    from,
    to,
    firstPosition,
    step,
    firstBit,
    bitStep,
    size,
    a,
    b,
    key0,
    key1,
    questions.count,
    questions.ports,
    v4Firsts,
    offsets,
    answered,
  );
  return length === bytes.length ? bytes : bytes.subarray(0, length);
}

/** The hot loop: everything in parameters, nothing allocated. Returns how many bytes were written. */
function fillRecords(
  bytes: Uint8Array,
  from: number,
  to: number,
  firstPosition: number,
  step: number,
  firstBit: number,
  bitStep: number,
  size: number,
  a: number,
  b: number,
  key0: number,
  key1: number,
  questionCount: number,
  ports: Uint16Array,
  v4Firsts: Int32Array,
  offsets: Float64Array,
  answered: Int32Array | undefined,
): number {
  let at = 0;
  for (let j = from; j < to; j++) {
    if (answered !== undefined && isAnswered(answered, firstBit + j * bitStep)) continue;
    const index = permute(firstPosition + j * step, size, a, b, key0, key1);
    const number = Math.floor(index / questionCount);
    const port = ports[index - number * questionCount] ?? 0;
    const stretch = stretchOfNumber(offsets, number);
    const address = ((v4Firsts[stretch] ?? 0) + (number - (offsets[stretch] ?? 0))) | 0;
    bytes[at] = address >>> 24;
    bytes[at + 1] = address >>> 16;
    bytes[at + 2] = address >>> 8;
    bytes[at + 3] = address;
    bytes[at + 4] = port >>> 8;
    bytes[at + 5] = port;
    at += RECORD_BYTES;
  }
  return at;
}
