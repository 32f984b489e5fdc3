/** Worker entry: sends the probes of one scan, then ends. */

import { PortolanError } from "#shared/errors.ts";
import { AnswerSink } from "./answers.ts";
import { setFlag, STOP, STOP_SENDING } from "./control-block.ts";
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
    let stall: PortolanError | undefined;
    try {
      new Sender(plan, prober).run();
    } catch (error) {
      stall = linkStall(error);
      setFlag(plan.control, STOP, STOP_SENDING);
    } finally {
      prober.close();
    }
    const { reason } = prober.refusals();
    const refusal = reason === "" ? [] : [`some probes could not be sent: ${reason}`];
    tell({
      type: "ended",
      links: prober.links(),
      notes: [...prober.notes(), ...refusal],
      ...(stall === undefined ? {} : { failure: stall.message }),
    });
  } catch (error) {
    tell(failureMessage(error));
  }
});

/** The error, where it says that the link went down: such a scan is cut short, and all others have failed. */
function linkStall(error: unknown): PortolanError {
  if (error instanceof PortolanError && error.code === "LINK_STALLED") return error;
  throw error;
}
