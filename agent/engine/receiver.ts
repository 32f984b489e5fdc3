/** The receiving loop: reads the ring, keeps what is a genuine answer, counts the rest. */

import type { AnswerSink } from "./answers.ts";
import {
  addTo,
  FINISH,
  flag,
  KERNEL_DROPS,
  PACKETS_RECEIVED,
  PACKETS_REJECTED,
  STOP,
} from "./control-block.ts";
import { type ReceiveRing, RETIRE_MS } from "./link/receive-ring.ts";
import { newReply, parseReply } from "./packet/reply.ts";
import type { WorkerPlan } from "./plan.ts";
import { probeIndex } from "./targets/space.ts";

/** Receives until told to finish, then takes what the kernel still holds in a block that was not full. */
export function receiveReplies(plan: WorkerPlan, ring: ReceiveRing, sink: AnswerSink): void {
  const { control, space, firstSourcePort, passes } = plan;
  const { k0, k1 } = plan.cookie;
  const reply = newReply();

  const onPacket = (view: DataView, at: number, length: number): void => {
    addTo(control, PACKETS_RECEIVED, 1);
    const genuine = parseReply(view, at, length, k0, k1, firstSourcePort, passes, reply);
    const index = genuine ? probeIndex(space, reply.target, reply.targetPort) : -1;
    if (index < 0) {
      addTo(control, PACKETS_REJECTED, 1);
      return;
    }
    sink.accept(index, reply.target, reply.targetPort, reply.reason, reply.ttl);
  };

  while (flag(control, STOP) !== FINISH) {
    ring.receive(RETIRE_MS, onPacket);
    control.counters[KERNEL_DROPS] = ring.kernelDrops();
  }
  const untilMs = performance.now() + 2 * RETIRE_MS;
  while (performance.now() < untilMs) ring.receive(RETIRE_MS, onPacket);
  control.counters[KERNEL_DROPS] = ring.kernelDrops();
}
