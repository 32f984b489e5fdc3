/** The ring between Workers and the main thread: order, wrapping, and a writer that waits for room. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { REASON_NAMES, reasonCode } from "./packet/reason.ts";
import { isReaderBehind, newRecordRing, readRecords, type RecordRing, writeRecord } from "./records.ts";

const SLOTS = 2 ** 16;
const SYN_ACK = reasonCode("syn-ack");
const never = (): boolean => false;

/** Numbers the records by their addresses. */
function write(ring: RecordRing, number: number, stopped: () => boolean): boolean {
  return writeRecord(ring, number, 80, SYN_ACK, 64, 61_000, number, stopped);
}

/** A ring whose cursors have already counted to `cursor`. */
function ringAt(cursor: number): RecordRing {
  const ring = newRecordRing();
  ring.cursors.fill(cursor);
  return ring;
}

describe("a record", () => {
  test("comes out as it went in", () => {
    const record = fc.record({
      addressNumber: fc.integer({ min: 0, max: 2 ** 48 }),
      // Below 0 for canaries.
      question: fc.integer({ min: -65_536, max: 2 ** 31 - 1 }),
      reason: fc.constantFrom(...REASON_NAMES).map(reasonCode),
      ttl: fc.nat(255),
      ourPort: fc.integer({ min: 0, max: 65_535 }),
      timeMs: fc.integer({ min: 0, max: 2 ** 43 }),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 50 }), (records) => {
        const ring = newRecordRing();
        for (const { addressNumber, question, reason, ttl, ourPort, timeMs } of records) {
          expect(writeRecord(ring, addressNumber, question, reason, ttl, ourPort, timeMs, never)).toBe(true);
        }
        expect(readRecords(ring, 1_000)).toEqual(records);
        expect(readRecords(ring, 1_000)).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });
});

describe("order", () => {
  /** Where the slots begin anew, where the sign of a cursor turns, and where the cursor itself does. */
  const cursors = [0, SLOTS - 3, 2 ** 31 - 3, -3];

  test.each(cursors)("is kept by any mix of writes and reads from cursor %d on", (cursor) => {
    const step = fc.record({ writes: fc.nat(40), reads: fc.nat(40) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const ring = ringAt(cursor);
        const read: number[] = [];
        let written = 0;
        for (const { writes, reads } of steps) {
          for (let i = 0; i < writes; i++) write(ring, written++, never);
          read.push(...readRecords(ring, reads).map(({ addressNumber }) => addressNumber));
        }
        read.push(...readRecords(ring, Infinity).map(({ addressNumber }) => addressNumber));
        expect(read).toEqual(Array.from({ length: written }, (_, i) => i));
      }),
      { numRuns: 20 },
    );
  });

  test("is kept over several rounds of the whole ring", () => {
    const ring = ringAt(2 ** 31 - SLOTS);
    let expected = 0;
    for (let number = 0; number < SLOTS * 3; number++) {
      write(ring, number, never);
      if (number % 50_000 !== 49_999) continue;
      for (const { addressNumber } of readRecords(ring, Infinity)) {
        if (addressNumber !== expected++)
          throw new Error(`read ${addressNumber} in place of ${expected - 1}`);
      }
    }
    expect(readRecords(ring, Infinity).at(-1)?.addressNumber).toBe(SLOTS * 3 - 1);
  });
});

describe("a full ring", () => {
  function fullRing(cursor: number): RecordRing {
    const ring = ringAt(cursor);
    for (let number = 0; number < SLOTS; number++) {
      // Never asked while there is room.
      if (!write(ring, number, () => true)) throw new Error(`no room for record ${number}`);
    }
    return ring;
  }

  test.each([0, 2 ** 31 - 100])(
    "from cursor %d on: the writer gives up when told to, and nothing is lost",
    (cursor) => {
      const ring = fullRing(cursor);
      expect(write(ring, SLOTS, () => true)).toBe(false);
      const records = readRecords(ring, Infinity);
      expect(records.length).toBe(SLOTS);
      expect([records.at(0)?.addressNumber, records.at(-1)?.addressNumber]).toEqual([0, SLOTS - 1]);
    },
  );

  test("the writer goes on as soon as somebody reads", () => {
    const ring = fullRing(-5);
    let asked = 0;
    const readOne = (): boolean => {
      asked++;
      expect(readRecords(ring, 1).map(({ addressNumber }) => addressNumber)).toEqual([0]);
      return false;
    };
    expect(write(ring, SLOTS, readOne)).toBe(true);
    expect(asked).toBe(1);
    const rest = readRecords(ring, Infinity);
    expect([rest.length, rest.at(0)?.addressNumber, rest.at(-1)?.addressNumber]).toEqual([SLOTS, 1, SLOTS]);
  });
});

test("a reader is behind while more than half of the ring is unread", () => {
  const ring = ringAt(2 ** 31 - 10);
  for (let number = 0; number < SLOTS / 2; number++) write(ring, number, never);
  expect(isReaderBehind(ring)).toBe(false);
  write(ring, SLOTS / 2, never);
  expect(isReaderBehind(ring)).toBe(true);
  readRecords(ring, 1);
  expect(isReaderBehind(ring)).toBe(false);
});
