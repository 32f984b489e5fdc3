/** What a scan sends, told in words: for tests of the sending loop, one lane at a time and in simulated time. */

import { AnswerSink } from "../answers.ts";
import { CANARIES_OVER, setFlag, STOP, STOP_SENDING } from "../control-block.ts";
import { reasonCode } from "../packet/reason.ts";
import type { WorkerPlan } from "../plan.ts";
import { Sender } from "../sender.ts";
import { permute } from "../targets/permutation.ts";
import { questionOfPort } from "../targets/questions.ts";
import { type Clock, FakeProber, type SentProbe } from "./fake-prober.ts";

export const nameOf = ({ addressNumber, kind, port, payload }: SentProbe): string =>
  `${addressNumber} ${kind} ${port} ${payload}`;

/** The probes of a question, by its index in the space. */
export function namesAt({ space }: WorkerPlan, index: number): string[] {
  const { count, firsts, kinds, ports, payloads } = space.questions;
  const question = index % count;
  const names: string[] = [];
  for (let probe = firsts[question] ?? 0; probe < (firsts[question + 1] ?? 0); probe++) {
    names.push(`${Math.floor(index / count)} ${kinds[probe]} ${ports[probe]} ${payloads[probe]}`);
  }
  return names;
}

/** Every probe of the plan's whole space. */
export function wholeSpace(plan: WorkerPlan): string[] {
  return Array.from({ length: plan.space.size }, (_, index) => namesAt(plan, index)).flat();
}

/** The index at a position of the plan's shard. */
export function indexAt({ permutation, shard }: WorkerPlan, position: number): number {
  const { size, a, b, key0, key1 } = permutation;
  return permute(shard.index + position * shard.count, size, a, b, key0, key1);
}

/** Answers what is sent, at once. */
export function answering(plan: WorkerPlan, answers: (probe: SentProbe) => boolean): FakeProber["onFlush"] {
  const sink = new AnswerSink(plan);
  return (probes) => {
    for (const probe of probes.filter(answers)) {
      const question = questionOfPort(plan.space.questions, probe.kind, probe.port);
      sink.accept(probe.addressNumber, question, reasonCode("syn-ack"), 64, probe.sourcePort);
    }
  };
}

/** Stops the scan as soon as so many probes are sent. */
export function stopAfter(plan: WorkerPlan, prober: FakeProber, count: number): void {
  const { onFlush } = prober;
  prober.onFlush = (probes) => {
    onFlush(probes);
    if (prober.sent.length >= count) setFlag(plan.control, STOP, STOP_SENDING);
  };
}

/** Runs one lane to its end; main has no canaries to ask for. */
export function runLane(plan: WorkerPlan, clock: Clock, prober = new FakeProber(clock)): FakeProber {
  if (plan.lane === 0) setFlag(plan.control, CANARIES_OVER, 1);
  new Sender(plan, prober).run();
  return prober;
}
