/** What never answered, listed after the scan for those who asked for it one by one. */

import { isAnswered } from "./dedup.ts";
import { hasMac, ownHop } from "./link/neighbour-table.ts";
import { reasonCode } from "./packet/reason.ts";
import type { WorkerPlan } from "./plan.ts";
import type { AnswerRecord } from "./records.ts";
import { shardSize } from "./targets/lane.ts";
import { permute } from "./targets/permutation.ts";
import { familyOfNumber } from "./targets/space.ts";

const CHUNK = 5_000;
const POSITIONS_PER_CHUNK = 2 ** 16;

/**
 * Every question of the shard without an answer. Only for a scan that sent all of it and lost nothing on this host: a
 * port whose answer may have been lost is not filtered, it is unknown.
 * Gives chunks, empty ones at times, so that the caller can turn to other things; nothing where the scan had several windows: their bits are gone.
 */
export function* silentQuestions(plan: WorkerPlan): Generator<AnswerRecord[]> {
  const { words, windows } = plan.answered;
  if (windows > 1) return;
  const { size, a, b, key0, key1 } = plan.permutation;
  const { shard } = plan;
  const questionCount = plan.space.questions.count;
  const count = shardSize(size, shard);
  const timeMs = Date.now();
  let chunk: AnswerRecord[] = [];
  for (let position = 0; position < count; position++) {
    if (chunk.length === CHUNK || position % POSITIONS_PER_CHUNK === POSITIONS_PER_CHUNK - 1) {
      yield chunk;
      chunk = [];
    }
    if (isAnswered(words, position)) continue;
    const index = permute(shard.index + shard.count * position, size, a, b, key0, key1);
    const addressNumber = Math.floor(index / questionCount);
    const question = index - addressNumber * questionCount;
    chunk.push({
      addressNumber,
      question,
      reason: silenceOf(plan, addressNumber),
      ttl: 0,
      ourPort: 0,
      timeMs,
    });
  }
  if (chunk.length > 0) yield chunk;
}

/** A host that is not on its link was not asked. */
function silenceOf({ space, ways, neighbours }: WorkerPlan, addressNumber: number): number {
  const hop = ownHop(ways, addressNumber);
  if (hop < 0 || hasMac(neighbours, hop)) return reasonCode("no-response");
  return reasonCode(familyOfNumber(space, addressNumber) === 4 ? "no-arp-reply" : "no-nd-reply");
}
