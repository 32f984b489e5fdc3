/** The engine's packets in memory, from position to bytes, and nothing sent: for measuring and for tests. */

import { MemoryTransmitter } from "../link/testing/memory-transmitter.ts";
import { PacketProber } from "../link/packet-prober.ts";
import { BATCH_PACKETS } from "../link/transmitter.ts";
import type { WorkerPlan } from "../plan.ts";
import { QuestionBatch } from "../question-batch.ts";
import { laneWindow } from "../targets/lane.ts";

export interface Generator {
  /** Makes the packets of `count` positions from `first` on, of the first window. Returns how many were made. */
  generate(first: number, count: number): number;
}

/** @param plan of one lane; all its targets are behind gateways, whose hardware addresses are made up */
export function newGenerator(plan: WorkerPlan, transmitter = new MemoryTransmitter()): Generator {
  plan.neighbours.macHigh.fill(0x0200);
  plan.neighbours.macLow.fill(2);
  // No sender's lane: the first one would look for next hops on the network, the others wait for it.
  Atomics.store(plan.neighbours.ready, 0, 1);
  const prober = new PacketProber({ ...plan, lane: 1 }, () => transmitter);
  prober.prepare();
  const order = laneWindow(plan, 0, 0, 0, 1);
  const batch = new QuestionBatch(plan, prober, order);
  return {
    generate(first, count) {
      const end = first + count;
      let made = 0;
      for (let position = first; position < end;) {
        position = batch.fill(1, position, Math.min(BATCH_PACKETS, end - position), 0);
        made += prober.flush();
      }
      return made;
    },
  };
}
