/** The ports that never answered, listed after the scan for those who asked for filtered ports one by one. */

import type { ScanSummary } from "#shared/protocol/job.ts";
import { isAnswered } from "./dedup.ts";
import type { WorkerPlan } from "./plan.ts";
import type { PortRecord } from "./records.ts";
import { permute } from "./targets/permutation.ts";
import { addressOfNumber } from "./targets/space.ts";

const CHUNK = 5_000;
const POSITIONS_PER_CHUNK = 2 ** 16;

/**
 * Nothing is listed where silence does not tell: a port whose answer may have been lost is not filtered, it is unknown.
 * Needs the exact answered set too. Gives chunks, empty ones at times, so that the caller can turn to other things.
 * @param unreachable numbers of addresses that did not answer ARP
 */
export function* silentProbes(
  plan: WorkerPlan,
  summary: ScanSummary,
  unreachable: readonly number[],
): Generator<PortRecord[]> {
  const { words, exact } = plan.answered;
  // Cut short, answers may be under way still; with drops or refusals, silence is not the target's.
  const silenceTells = summary.ended === "done" && summary.sendErrors === 0 && summary.kernelDrops === 0;
  if (!exact || !silenceTells) return;
  const { size, a, b, key0, key1 } = plan.permutation;
  const { ports } = plan.space;
  const absent = new Set(unreachable);
  const timeMs = Date.now();
  let chunk: PortRecord[] = [];
  for (let position = 0; position < summary.probesCovered; position++) {
    if (position % POSITIONS_PER_CHUNK === POSITIONS_PER_CHUNK - 1) {
      yield chunk;
      chunk = [];
    }
    const index = permute(position, size, a, b, key0, key1);
    if (isAnswered(words, exact, index)) continue;
    const addressNumber = Math.floor(index / ports.length);
    chunk.push({
      address: addressOfNumber(plan.space, addressNumber),
      port: ports[index - addressNumber * ports.length] ?? 0,
      reason: absent.has(addressNumber) ? "no-arp-reply" : "no-response",
      ttl: 0,
      timeMs,
    });
    if (chunk.length === CHUNK) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}
