/** Cuts results into batches that the control plane takes: neither too many results, nor too large a body. */

import type { PortResult } from "./job.ts";
import { MAX_RESULT_BODY_BYTES, MAX_RESULTS_PER_BATCH } from "./limits.ts";

/** JSON writes a control character as `\u0000`: six bytes, the most that any character takes. */
const BYTES_PER_CHARACTER = 6;
/** Field names, numbers, quotes: more than those of any result. */
const BYTES_BESIDE_TEXTS = 512;
/** Lease and number of the batch. */
const BYTES_BESIDE_RESULTS = 1_024;

/** Every batch is as long as it can be; with the texts that most results have, that is MAX_RESULTS_PER_BATCH. */
export function* resultBatches(results: readonly PortResult[]): Generator<readonly PortResult[]> {
  const room = MAX_RESULT_BODY_BYTES - BYTES_BESIDE_RESULTS;
  let start = 0;
  let bytes = 0;
  for (const [index, result] of results.entries()) {
    const size = maxBytes(result);
    if (index > start && (index - start >= MAX_RESULTS_PER_BATCH || bytes + size > room)) {
      yield results.slice(start, index);
      start = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (start < results.length) yield results.slice(start);
}

/** No JSON text of the result is longer. */
function maxBytes(result: PortResult): number {
  let characters = 0;
  for (const value of Object.values(result)) if (typeof value === "string") characters += value.length;
  return BYTES_BESIDE_TEXTS + characters * BYTES_PER_CHARACTER;
}
