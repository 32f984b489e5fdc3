/** Worker entry: receives the answers of one scan until it is told to finish. */

import { AnswerSink } from "./answers.ts";
import { PcapWriter } from "./link/capture.ts";
import { ReceiveRing } from "./link/receive-ring.ts";
import type { WorkerPlan } from "./plan.ts";
import { receiveReplies } from "./receiver.ts";
import { failureMessage, type WorkerMessage } from "./worker-messages.ts";

declare const self: Worker;

self.addEventListener("message", (event: MessageEvent<WorkerPlan>) => {
  const tell = (message: WorkerMessage): void => self.postMessage(message);
  try {
    const plan = event.data;
    const families = [...new Set(plan.routes.map(({ family }) => family))];
    const capture = plan.capturePath === undefined ? undefined : new PcapWriter(plan.capturePath);
    try {
      const ring = new ReceiveRing(families, plan.firstSourcePort, plan.sourcePortCount);
      try {
        tell({ type: "ready" });
        receiveReplies(plan, ring, new AnswerSink(plan), capture);
      } finally {
        ring.close();
      }
    } finally {
      capture?.close();
    }
    const failed = capture?.failed ?? "";
    tell({ type: "ended", links: [], notes: failed === "" ? [] : [failed] });
  } catch (error) {
    tell(failureMessage(error));
  }
});
