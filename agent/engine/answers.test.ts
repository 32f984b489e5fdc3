/** Each answer counts once, under its state, and is passed on only where that state was asked for. */

import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { type PortState, portStateSchema } from "#shared/protocol/fields.ts";
import { AnswerSink } from "./answers.ts";
import {
  CLOSED,
  type ControlBlock,
  counter,
  DUPLICATES,
  FILTERED_BY_ANSWER,
  newControlBlock,
  OPEN,
} from "./control-block.ts";
import { newAnsweredSet } from "./dedup.ts";
import { REASON_NAMES, reasonCode } from "./packet/reply.ts";
import { newRecordRing, readRecords, stateOfReason } from "./records.ts";

const PROBES = 64;

function countsOf(control: ControlBlock): Record<PortState | "duplicates", number> {
  return {
    open: counter(control, OPEN),
    closed: counter(control, CLOSED),
    filtered: counter(control, FILTERED_BY_ANSWER),
    duplicates: counter(control, DUPLICATES),
  };
}

const answer = fc.record({ index: fc.nat(PROBES - 1), reason: fc.constantFrom(...REASON_NAMES) });
const report = fc.subarray([...portStateSchema.options]);

test("the first answer of a probe decides, whatever comes after it", () => {
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 200 }), report, (answers, report) => {
      const control = newControlBlock(0);
      const records = newRecordRing();
      const sink = new AnswerSink(control, newAnsweredSet(PROBES), records, report);
      const first = new Map<number, (typeof answers)[number]>();
      for (const answer of answers) {
        if (!first.has(answer.index)) first.set(answer.index, answer);
        sink.accept(answer.index, 1_000 + answer.index, 80, reasonCode(answer.reason), 64);
      }

      const states = [...first.values()].map(({ reason }) => stateOfReason(reason));
      const count = (state: PortState): number => states.filter((other) => other === state).length;
      expect(countsOf(control)).toEqual({
        open: count("open"),
        closed: count("closed"),
        filtered: count("filtered"),
        duplicates: answers.length - first.size,
      });
      const wanted = [...first.values()].filter(({ reason }) => report.includes(stateOfReason(reason)));
      expect(readRecords(records, Infinity)).toEqual(
        wanted.map(({ index, reason }) => ({
          address: 1_000 + index,
          port: 80,
          reason,
          ttl: 64,
          timeMs: expect.any(Number),
        })),
      );
    }),
    { numRuns: 50 },
  );
});
