/** What happens to a genuine answer: counted once, and passed on where its state was asked for. */

import type { PortState } from "#shared/protocol/port-state.ts";
import { noteAnswering, type SoundingTargets } from "./accuracy/soundings.ts";
import {
  addTo,
  ANSWERS_BY_PASS,
  CLOSED,
  type ControlBlock,
  DUPLICATES,
  FILTERED_BY_ANSWER,
  FINISH,
  flag,
  laneCounter,
  OPEN,
  OPEN_BY_PASS,
  PACKETS_REJECTED,
  PASS,
  SOUNDINGS_ANSWERED,
  STOP,
  WINDOW,
} from "./control-block.ts";
import { type AnsweredSet, isAnswered, markAnswered, windowBit, windowOfPosition } from "./dedup.ts";
import { PROBE_KINDS, TCP_SYN } from "./packet/probe-kind.ts";
import { provesHostUp, REASON_NAMES, stateOfReason } from "./packet/reason.ts";
import type { Shard, WorkerPlan } from "./plan.ts";
import { type RecordRing, writeRecord } from "./records.ts";
import { canaryPort } from "./source-port-roles.ts";
import { positionInShard } from "./targets/lane.ts";
import { type Permutation, unpermute } from "./targets/permutation.ts";
import { kindOfQuestion, portOfQuestion, type Questions } from "./targets/questions.ts";

/** One of these exists in a scan: the answered set and the ring each have one writer. */
export class AnswerSink {
  private readonly control: ControlBlock;
  private readonly answered: AnsweredSet;
  private readonly records: RecordRing;
  private readonly soundings: SoundingTargets;
  private readonly questions: Questions;
  private readonly permutation: Permutation;
  private readonly shard: Shard;
  private readonly findsHosts: boolean;
  private readonly firstSourcePort: number;
  private readonly canaryPort: number;
  private readonly report: readonly PortState[];
  private readonly isFinished: () => boolean;
  /** Canary answers that came lately, by a hash of host and port. */
  private readonly canaries = new Float64Array(4_096).fill(-1);
  /** By kind and reason. */
  private readonly states: readonly (readonly PortState[])[];

  constructor(plan: WorkerPlan) {
    const { control } = plan;
    this.control = control;
    this.answered = plan.answered;
    this.records = plan.records;
    this.soundings = plan.soundings;
    this.questions = plan.space.questions;
    this.permutation = plan.permutation;
    this.shard = plan.shard;
    this.findsHosts = plan.find === "hosts";
    this.firstSourcePort = plan.firstSourcePort;
    this.canaryPort = canaryPort(plan.firstSourcePort, plan.passes);
    this.report = plan.report;
    this.isFinished = () => flag(control, STOP) === FINISH;
    this.states = Array.from({ length: PROBE_KINDS }, (_, kind) =>
      REASON_NAMES.map((reason) => {
        if (this.findsHosts) return provesHostUp(reason) ? "open" : "filtered";
        return stateOfReason(kind, reason);
      }),
    );
  }

  /**
   * An answer to a probe of one of the passes.
   * @param reason place in REASON_NAMES
   * @param ttl 0 where no packet told it
   * @param ourPort 0 for a connection
   */
  accept(addressNumber: number, question: number, reason: number, ttl: number, ourPort: number): void {
    const { control, questions } = this;
    const kind = kindOfQuestion(questions, question);
    const state = this.states[kind]?.[reason] ?? "filtered";
    // Of a host, only a sign of life is an answer: an error message says nothing about the other pings.
    if (this.findsHosts && state !== "open") return;
    const bit = this.bitOf(addressNumber * questions.count + question);
    if (bit < 0) {
      addTo(control, PACKETS_REJECTED, 1);
      return;
    }
    if (!markAnswered(this.answered.words, bit)) {
      addTo(control, DUPLICATES, 1);
      return;
    }
    // Before it is counted: once all is counted the scan may end, and every record must be there by then.
    if (this.report.includes(state)) {
      const { records, isFinished } = this;
      writeRecord(records, addressNumber, question, reason, ttl, ourPort, Date.now(), isFinished);
    }
    const counted = state === "open" ? OPEN : state === "closed" ? CLOSED : FILTERED_BY_ANSWER;
    addTo(control, counted, 1);
    if (kind === TCP_SYN && state !== "filtered") {
      const pass = ourPort === 0 ? laneCounter(control, 0, PASS) - 1 : ourPort - this.firstSourcePort;
      addTo(control, ANSWERS_BY_PASS + pass, 1);
      if (state === "open") addTo(control, OPEN_BY_PASS + pass, 1);
      noteAnswering(this.soundings, addressNumber, portOfQuestion(questions, question));
    }
  }

  /** Whether this shard asks the question in a window that answers are taken to, and has had none. */
  isAwaited(addressNumber: number, question: number): boolean {
    const bit = this.bitOf(addressNumber * this.questions.count + question);
    return bit >= 0 && !isAnswered(this.answered.words, bit);
  }

  /**
   * An answer to a probe that was sent for another purpose than to find a port.
   * @param ourPort beyond those of the passes
   */
  acceptOther(addressNumber: number, port: number, reason: number, ttl: number, ourPort: number): void {
    if (ourPort === this.canaryPort) {
      if (this.isRepeatedCanary(addressNumber, port)) return;
      writeRecord(this.records, addressNumber, -1 - port, reason, ttl, ourPort, Date.now(), this.isFinished);
    } else {
      addTo(this.control, SOUNDINGS_ANSWERED + (ourPort - this.canaryPort - 1), 1);
    }
  }

  /** Whoever sends one answer again and again must not fill the ring. Forgets after some thousand others. */
  private isRepeatedCanary(addressNumber: number, port: number): boolean {
    const key = addressNumber * 65_536 + port;
    const place = (Math.imul(addressNumber | 0, 31) + port) & (this.canaries.length - 1);
    if (this.canaries[place] === key) return true;
    this.canaries[place] = key;
    return false;
  }

  /** The bit of a question, by the position at which it was asked; -1 where this shard, or this window, does not ask it. */
  private bitOf(index: number): number {
    const { answered } = this;
    const { size, a, b, key0, key1 } = this.permutation;
    const position = positionInShard(unpermute(index, size, a, b, key0, key1), this.shard);
    if (position < 0 || answered.windows === 1) return position;
    const window = windowOfPosition(answered, position);
    const present = flag(this.control, WINDOW);
    // Older windows have given their bits to newer ones.
    if (window !== present && window !== present - 1) return -1;
    return windowBit(answered, window) + position - window * answered.windowSize;
  }
}
