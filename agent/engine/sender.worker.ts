/** Worker entry: sends the probes of one scan, then ends. */

import { AnswerSink } from "./answers.ts";
import { ConnectProber } from "./link/connect-prober.ts";
import { PacketProber } from "./link/packet-prober.ts";
import type { Prober } from "./link/prober.ts";
import type { WorkerPlan } from "./plan.ts";
import { Sender } from "./sender.ts";
import { failureMessage, type WorkerMessage } from "./worker-messages.ts";

declare const self: Worker;

self.addEventListener("message", (event: MessageEvent<WorkerPlan>) => {
  const tell = (message: WorkerMessage): void => self.postMessage(message);
  try {
    const plan = event.data;
    const prober: Prober =
      plan.probing === "packets" ? new PacketProber(plan) : new ConnectProber(plan, new AnswerSink(plan));
    try {
      new Sender(plan, prober).run();
    } finally {
      prober.close();
    }
    const { reason } = prober.refusals();
    const refusal = reason === "" ? [] : [`some probes could not be sent: ${reason}`];
    tell({ type: "ended", links: prober.links(), notes: [...prober.notes(), ...refusal] });
  } catch (error) {
    tell(failureMessage(error));
  }
});
