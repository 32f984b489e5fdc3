/** What happens to a genuine answer: counted once, and passed on where its state was asked for. */

import type { PortState } from "#shared/protocol/fields.ts";
import {
  addTo,
  CLOSED,
  type ControlBlock,
  DUPLICATES,
  FILTERED_BY_ANSWER,
  FINISH,
  flag,
  OPEN,
  STOP,
} from "./control-block.ts";
import { type AnsweredSet, markAnswered } from "./dedup.ts";
import { REASON_NAMES } from "./packet/reply.ts";
import { type RecordRing, stateOfReason, writeRecord } from "./records.ts";

const COUNTER_OF: Readonly<Record<PortState, number>> = {
  open: OPEN,
  closed: CLOSED,
  filtered: FILTERED_BY_ANSWER,
};

/** One of these exists in a scan: the answered set and the ring each have one writer. */
export class AnswerSink {
  private readonly control: ControlBlock;
  private readonly answered: AnsweredSet;
  private readonly records: RecordRing;
  private readonly stateCounter: readonly number[];
  private readonly reported: readonly boolean[];
  private readonly isFinished: () => boolean;

  constructor(
    control: ControlBlock,
    answered: AnsweredSet,
    records: RecordRing,
    report: readonly PortState[],
  ) {
    this.control = control;
    this.answered = answered;
    this.records = records;
    this.stateCounter = REASON_NAMES.map((reason) => COUNTER_OF[stateOfReason(reason)]);
    this.reported = REASON_NAMES.map((reason) => report.includes(stateOfReason(reason)));
    this.isFinished = () => flag(control, STOP) === FINISH;
  }

  accept(index: number, address: number, port: number, reason: number, ttl: number): void {
    if (!markAnswered(this.answered.words, this.answered.exact, index)) {
      addTo(this.control, DUPLICATES, 1);
      return;
    }
    addTo(this.control, this.stateCounter[reason] ?? FILTERED_BY_ANSWER, 1);
    if (this.reported[reason] === true) {
      writeRecord(this.records, address, port, reason, ttl, Date.now(), this.isFinished);
    }
  }
}
