/** Worker entry: receives the answers of one scan until it is told to finish. */

import { AnswerSink } from "./answers.ts";
import { ReceiveRing } from "./link/receive-ring.ts";
import type { WorkerPlan } from "./plan.ts";
import { receiveReplies } from "./receiver.ts";
import { failureMessage, type WorkerMessage } from "./worker-messages.ts";

declare const self: Worker;

self.addEventListener("message", (event: MessageEvent<WorkerPlan>) => {
  const tell = (message: WorkerMessage): void => self.postMessage(message);
  try {
    const plan = event.data;
    const ring = new ReceiveRing(plan.firstSourcePort, plan.passes);
    try {
      tell({ type: "ready" });
      receiveReplies(plan, ring, new AnswerSink(plan.control, plan.answered, plan.records, plan.report));
      tell({ type: "ended", unreachable: [], lastRefusal: "" });
    } finally {
      ring.close();
    }
  } catch (error) {
    tell(failureMessage(error));
  }
});
