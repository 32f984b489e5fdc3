/**
 * One lane of a scan in a thread of its own, in simulated time, with a prober that sends nothing: it writes each question
 * that it is to ask into the ring that it is given, and goes on when these are dealt with.
 */

import type { WorkerPlan } from "../plan.ts";
import { type RecordRing, writeRecord } from "../records.ts";
import { Sender } from "../sender.ts";
import { questionOfPort } from "../targets/questions.ts";
import { type Clock, FakeProber } from "./fake-prober.ts";

export interface LaneStart {
  readonly plan: WorkerPlan;
  readonly asked: RecordRing;
  /** Batches written, and batches dealt with. */
  readonly batches: Int32Array;
}

declare const self: Worker;

/** Others may be slower, and their time is not this thread's: let them get on. */
const YIELD_MS = 0.05;

self.addEventListener("message", ({ data: { plan, asked, batches } }: MessageEvent<LaneStart>) => {
  const clock: Clock = { nowMs: 10_000 };
  performance.now = () => clock.nowMs;
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  const prober = new FakeProber(clock);
  prober.onIdle = () => Atomics.wait(nobody, 0, 0, YIELD_MS);
  prober.onFlush = (probes) => {
    if (probes.length === 0) return;
    for (const { addressNumber, kind, port, sourcePort } of probes) {
      const question = questionOfPort(plan.space.questions, kind, port);
      writeRecord(asked, addressNumber, question, 0, 0, sourcePort, 0, () => false);
    }
    const written = Atomics.add(batches, 0, 1) + 1;
    for (let done = Atomics.load(batches, 1); done !== written; done = Atomics.load(batches, 1)) {
      Atomics.wait(batches, 1, done, 100);
    }
  };
  new Sender(plan, prober).run();
  self.postMessage("ended");
});
