/** Worker entry: sends the probes of one scan, then ends. */

import { AnswerSink } from "./answers.ts";
import { ConnectProber } from "./link/connect-prober.ts";
import type { WorkerPlan } from "./plan.ts";
import type { Prober } from "./link/prober.ts";
import { sendPasses } from "./sender.ts";
import { SynProber } from "./link/syn-prober.ts";
import { failureMessage, type WorkerMessage } from "./worker-messages.ts";

declare const self: Worker;

self.addEventListener("message", (event: MessageEvent<WorkerPlan>) => {
  const tell = (message: WorkerMessage): void => self.postMessage(message);
  try {
    const plan = event.data;
    const prober: Prober =
      plan.probing === "syn"
        ? new SynProber(plan)
        : new ConnectProber(plan, new AnswerSink(plan.control, plan.answered, plan.records, plan.report));
    try {
      sendPasses(plan, prober);
      tell({
        type: "ended",
        unreachable: prober.unreachable(),
        lastRefusal: prober.refusals().reason,
      });
    } finally {
      prober.close();
    }
  } catch (error) {
    tell(failureMessage(error));
  }
});
