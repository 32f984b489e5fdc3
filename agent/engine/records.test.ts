/** The ring between Workers and the main thread: order, wrapping, and a writer that waits for room. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { REASON_NAMES, reasonCode } from "./packet/reply.ts";
import { newRecordRing, readRecords, type RecordRing, stateOfReason, writeRecord } from "./records.ts";

const SLOTS = 2 ** 16;
const SYN_ACK = reasonCode("syn-ack");
const never = (): boolean => false;

/** Numbers the records by their address. */
function write(ring: RecordRing, number: number, stopped: () => boolean): boolean {
  return writeRecord(ring, number, 80, SYN_ACK, 64, number, stopped);
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
      address: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      port: fc.integer({ min: 0, max: 65_535 }),
      reason: fc.constantFrom(...REASON_NAMES),
      ttl: fc.nat(255),
      timeMs: fc.integer({ min: 0, max: 2 ** 43 }),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 50 }), (records) => {
        const ring = newRecordRing();
        for (const { address, port, reason, ttl, timeMs } of records) {
          expect(writeRecord(ring, address, port, reasonCode(reason), ttl, timeMs, never)).toBe(true);
        }
        expect(readRecords(ring, 1_000)).toEqual(records);
        expect(readRecords(ring, 1_000)).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });

  test("says open, closed or filtered", () => {
    const states = Object.groupBy(REASON_NAMES, stateOfReason);
    expect(states.open).toEqual(["syn-ack"]);
    expect(states.closed).toEqual(["reset"]);
    expect(states.filtered).toHaveLength(REASON_NAMES.length - 2);
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
          read.push(...readRecords(ring, reads).map(({ address }) => address));
        }
        read.push(...readRecords(ring, Infinity).map(({ address }) => address));
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
      for (const { address } of readRecords(ring, Infinity)) {
        if (address !== expected++) throw new Error(`read ${address} in place of ${expected - 1}`);
      }
    }
    expect(readRecords(ring, Infinity).at(-1)?.address).toBe(SLOTS * 3 - 1);
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
      expect([records.at(0)?.address, records.at(-1)?.address]).toEqual([0, SLOTS - 1]);
    },
  );

  test("the writer goes on as soon as somebody reads", () => {
    const ring = fullRing(-5);
    let asked = 0;
    const readOne = (): boolean => {
      asked++;
      expect(readRecords(ring, 1).map(({ address }) => address)).toEqual([0]);
      return false;
    };
    expect(write(ring, SLOTS, readOne)).toBe(true);
    expect(asked).toBe(1);
    const rest = readRecords(ring, Infinity);
    expect([rest.length, rest.at(0)?.address, rest.at(-1)?.address]).toEqual([SLOTS, 1, SLOTS]);
  });
});
