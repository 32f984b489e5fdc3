/**
 * The sending loop: walks the permuted probe space, pass by pass, no faster than the pacer allows.
 * A second pass sends only what has not been answered.
 */

import { BATCH_PACKETS } from "./link/send-batch.ts";
import {
  addTo,
  counter,
  flag,
  PACKETS_SENT,
  PASS,
  POSITION,
  RATE_PPS,
  REFUSED_FIRST_PASS,
  RUN,
  SEND_ERRORS,
  setFlag,
  STOP,
} from "./control-block.ts";
import { isAnswered } from "./dedup.ts";
import { Pacer } from "./pacer.ts";
import type { WorkerPlan } from "./plan.ts";
import type { Prober } from "./link/prober.ts";
import { isReaderBehind } from "./records.ts";
import { permute } from "./targets/permutation.ts";

/** Positions looked at between two looks at the clock, where most need no probe. */
const MAX_SKIPS = 65_536;
const READER_WAIT_MS = 10;

/** Sends every pass, or until told to stop. */
export function sendPasses(plan: WorkerPlan, prober: Prober): void {
  const { control } = plan;
  prober.prepare();
  const pacer = new Pacer(counter(control, RATE_PPS), performance.now());
  for (let pass = 1; pass <= plan.passes; pass++) {
    setFlag(control, PASS, pass);
    sendPass(plan, prober, pacer, pass);
    if (flag(control, STOP) !== RUN) {
      // What is given up unanswered was not covered.
      if (pass === 1) addTo(control, POSITION, -prober.pending());
      return;
    }
    prober.settle(pass === plan.passes);
  }
}

function sendPass(plan: WorkerPlan, prober: Prober, pacer: Pacer, pass: number): void {
  const { control } = plan;
  const { size } = plan.permutation;
  let position = 0;
  while (position < size && flag(control, STOP) === RUN) {
    const nowMs = performance.now();
    pacer.setRate(counter(control, RATE_PPS), nowMs);
    if (isReaderBehind(plan.records)) {
      // Answers that nobody takes would fill the kernel's ring next, and then be lost.
      prober.idle(READER_WAIT_MS);
      continue;
    }
    const granted = pacer.take(nowMs, Math.min(BATCH_PACKETS, prober.room()));
    if (granted === 0) {
      prober.idle(pacer.waitMs(nowMs));
      continue;
    }
    const refusedBefore = prober.refusals().count;
    const end = fill(plan, prober, pass, position, granted);
    const sent = prober.flush();
    const refused = prober.refusals().count - refusedBefore;
    pacer.giveBack(granted - sent - refused);
    addTo(control, PACKETS_SENT, sent);
    addTo(control, SEND_ERRORS, refused);
    if (pass === 1) {
      addTo(control, POSITION, end - position);
      addTo(control, REFUSED_FIRST_PASS, refused);
    }
    position = end;
  }
}

/** Adds up to `wanted` probes from `position` on. Returns the position after the last one looked at. */
function fill(plan: WorkerPlan, prober: Prober, pass: number, position: number, wanted: number): number {
  const { size, a, b, key0, key1 } = plan.permutation;
  const { words, exact } = plan.answered;
  const { ports } = plan.space;
  const portCount = ports.length;
  const last = Math.min(size, position + MAX_SKIPS);
  let added = 0;
  let at = position;
  for (; at < last && added < wanted; at++) {
    const index = permute(at, size, a, b, key0, key1);
    if (isAnswered(words, exact, index)) continue;
    const addressNumber = Math.floor(index / portCount);
    const port = ports[index - addressNumber * portCount] ?? 0;
    if (prober.add(addressNumber, port, pass)) added++;
  }
  return at;
}
