/** The receiving loop: reads the rings, keeps what is a genuine answer, counts the rest. */

import type { AnswerSink } from "./answers.ts";
import {
  addTo,
  counter,
  FINISH,
  flag,
  KERNEL_DROPS,
  PACKETS_RECEIVED,
  PACKETS_REJECTED,
  STOP,
  WINDOW_OPEN,
} from "./control-block.ts";
import type { PcapWriter } from "./link/capture.ts";
import { hasMac, isSearchOver } from "./link/neighbour-table.ts";
import { firstOwnHop } from "./link/way-table.ts";
import { type ReceiveRing, RETIRE_MS } from "./link/receive-ring.ts";
import { TCP_SYN } from "./packet/probe-kind.ts";
import { reasonCode } from "./packet/reason.ts";
import { parseReply } from "./packet/reply.ts";
import { newReply } from "./packet/reply-fields.ts";
import type { WorkerPlan } from "./plan.ts";
import { questionOfPort } from "./targets/questions.ts";
import { numberOfIpv4, numberOfIpv6 } from "./targets/space.ts";

/** Receives until told to finish, then takes what the kernel still holds in a block that was not full. */
export function receiveReplies(
  plan: WorkerPlan,
  ring: Pick<ReceiveRing, "receive" | "kernelDrops">,
  sink: AnswerSink,
  capture: PcapWriter | undefined,
): void {
  const { control, space, firstSourcePort, sourcePortCount, passes } = plan;
  const { k0, k1 } = plan.cookie;
  const reply = newReply();
  const dropsBefore = counter(control, KERNEL_DROPS);
  const pastPasses = firstSourcePort + passes;

  const onPacket = (
    view: DataView,
    at: number,
    length: number,
    seconds: number,
    nanoseconds: number,
  ): void => {
    addTo(control, PACKETS_RECEIVED, 1);
    capture?.writeAt(view, at, length, seconds, nanoseconds);
    const isGenuine = parseReply(view, at, length, k0, k1, firstSourcePort, sourcePortCount, reply);
    const addressNumber = !isGenuine
      ? -1
      : reply.family === 4
        ? numberOfIpv4(space, reply.t3)
        : numberOfIpv6(space, reply.t0, reply.t1, reply.t2, reply.t3);
    const { kind, targetPort, ourPort, reason, ttl } = reply;
    const isOfPass = ourPort < pastPasses;
    const question = isOfPass ? questionOfPort(space.questions, kind, targetPort) : 0;
    // Canaries and soundings are SYNs. What else comes to their ports was not asked for, and UDP may even be forged.
    const isAsked = isOfPass ? question >= 0 : kind === TCP_SYN;
    if (addressNumber < 0 || !isAsked) addTo(control, PACKETS_REJECTED, 1);
    else if (isOfPass) sink.accept(addressNumber, question, reason, ttl, ourPort);
    else sink.acceptOther(addressNumber, targetPort, reason, ttl, ourPort);
  };

  let toldWindow = -1;
  while (flag(control, STOP) !== FINISH) {
    ring.receive(RETIRE_MS, onPacket);
    control.counters[KERNEL_DROPS] = dropsBefore + ring.kernelDrops();
    // Again in each window: answers to those that are to come are not taken yet.
    const window = flag(control, WINDOW_OPEN);
    if (plan.find === "hosts" && window !== toldWindow && isSearchOver(plan.neighbours)) {
      toldWindow = window;
      acceptNeighbours(plan, sink);
    }
  }
  const untilMs = performance.now() + 2 * RETIRE_MS;
  while (performance.now() < untilMs) ring.receive(RETIRE_MS, onPacket);
  control.counters[KERNEL_DROPS] = dropsBefore + ring.kernelDrops();
}

/** Who answered ARP or neighbour discovery is there: no ping is needed. */
function acceptNeighbours(plan: WorkerPlan, sink: AnswerSink): void {
  const { routes, ways, neighbours, firstSourcePort } = plan;
  for (let run = 0; run < ways.routes.length; run++) {
    const firstHop = firstOwnHop(ways, run);
    if (firstHop < 0) continue;
    const family = routes[ways.routes[run] ?? 0]?.family;
    const reason = reasonCode(family === 4 ? "arp-reply" : "nd-reply");
    const first = ways.offsets[run] ?? 0;
    const end = ways.offsets[run + 1] ?? 0;
    for (let addressNumber = first; addressNumber < end; addressNumber++) {
      const isThere = hasMac(neighbours, firstHop + addressNumber - first);
      if (isThere && sink.isAwaited(addressNumber, 0)) {
        sink.accept(addressNumber, 0, reason, 0, firstSourcePort);
      }
    }
  }
}
