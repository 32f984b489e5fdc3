/** Runs all lanes of a plan at once, each in a thread, and answers what they ask: a scan without a network. */

import { AnswerSink } from "../answers.ts";
import { CANARIES_OVER, setFlag } from "../control-block.ts";
import { reasonCode } from "../packet/reason.ts";
import type { WorkerPlan } from "../plan.ts";
import { newRecordRing, readRecords } from "../records.ts";
import type { LaneStart } from "./lane.worker.ts";

export interface Asked {
  readonly addressNumber: number;
  readonly question: number;
  readonly sourcePort: number;
}

/**
 * @param answers whether a question is answered, at once
 * @returns what was asked, in each lane's order
 */
export async function runLanes(plan: WorkerPlan, answers: (asked: Asked) => boolean): Promise<Asked[]> {
  setFlag(plan.control, CANARIES_OVER, 1);
  const sink = new AnswerSink(plan);
  const lanes = Array.from({ length: plan.lanes }, (_, lane) => startLane(plan, lane));
  const everythingAsked: Asked[] = [];
  const dealWith = ({ start: { asked, batches } }: Lane): void => {
    const written = Atomics.load(batches, 0);
    for (const { addressNumber, question, ourPort } of readRecords(asked, Infinity)) {
      const one = { addressNumber, question, sourcePort: ourPort };
      everythingAsked.push(one);
      if (answers(one)) sink.accept(addressNumber, question, reasonCode("syn-ack"), 64, ourPort);
    }
    Atomics.store(batches, 1, written);
    Atomics.notify(batches, 1);
  };
  const end = Promise.all(lanes.map(({ ended }) => ended));
  const state = { running: true };
  const stop = (): void => {
    state.running = false;
  };
  end.then(stop, stop);
  while (state.running) {
    lanes.forEach(dealWith);
    await Bun.sleep(0);
  }
  await end;
  lanes.forEach(({ worker }) => worker.terminate());
  return everythingAsked;
}

interface Lane {
  readonly worker: Worker;
  readonly start: LaneStart;
  readonly ended: Promise<void>;
}

function startLane(plan: WorkerPlan, lane: number): Lane {
  const worker = new Worker(new URL("lane.worker.ts", import.meta.url));
  const batches = new Int32Array(new SharedArrayBuffer(8));
  const start: LaneStart = { plan: { ...plan, lane }, asked: newRecordRing(), batches };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.addEventListener("message", () => resolve());
  worker.addEventListener("error", ({ message }) => reject(new Error(`lane ${lane}: ${message}`)));
  worker.postMessage(start);
  return { worker, start, ended: promise };
}
