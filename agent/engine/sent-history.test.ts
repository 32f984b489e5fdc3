/** Where a scan stood a while ago: never further than what was sent before then. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { SentHistory } from "./sent-history.ts";

const BACK_MS = 1_000;
/** Positions are noted this often; so much more is sent again. */
const STEP_MS = 50;

const turns = fc.array(
  fc.record({
    waitMs: fc.oneof(
      fc.constant(0),
      fc.double({ min: 0, max: 30, noNaN: true }),
      fc.double({ min: 0, max: 3_000, noNaN: true }),
    ),
    sent: fc.nat(64),
  }),
  { maxLength: 300 },
);

describe("positionAt", () => {
  test("is before everything whose answer may still come, and not much further back", () => {
    fc.assert(
      fc.property(turns, fc.nat(1_000), (turns, from) => {
        const history = new SentHistory(BACK_MS);
        const startMs = 5_000;
        history.restart(from, startMs);
        let nowMs = startMs;
        let position = from;
        let before = from;
        /** When each position was reached at the latest. */
        const reached: { atMs: number; position: number }[] = [{ atMs: nowMs, position }];
        for (const { waitMs, sent } of turns) {
          nowMs += waitMs;
          const back = history.positionAt(nowMs, position);
          const old = reached.findLast(({ atMs }) => atMs <= nowMs - BACK_MS)?.position ?? from;
          expect(back).toBeLessThanOrEqual(old);
          expect(back).toBeGreaterThanOrEqual(before);
          before = back;
          position += sent;
          reached.push({ atMs: nowMs, position });
        }
      }),
    );
  });

  test("follows a steady scan at its distance", () => {
    const history = new SentHistory(BACK_MS);
    history.restart(0, 0);
    for (let nowMs = 0; nowMs <= 10_000; nowMs++) {
      const back = history.positionAt(nowMs, nowMs);
      expect(back).toBeGreaterThanOrEqual(nowMs - BACK_MS - STEP_MS);
      expect(back).toBeLessThanOrEqual(Math.max(0, nowMs - BACK_MS));
    }
  });

  test("never passes the position itself, although that may go back to what a cap had put aside", () => {
    const history = new SentHistory(0);
    history.restart(100, 0);
    expect(history.positionAt(0, 100)).toBe(100);
    expect(history.positionAt(500, 40)).toBe(40);
  });

  test("with no time for an answer ends, and is where the scan stands when that was noted", () => {
    const history = new SentHistory(0);
    history.restart(0, 1_000);
    expect(history.positionAt(1_000, 5)).toBe(0);
    expect(history.positionAt(1_000 + STEP_MS, 9)).toBe(9);
    expect(history.positionAt(1_000 + STEP_MS, 9)).toBe(9);
  });
});

test("begins again with each pass", () => {
  const history = new SentHistory(BACK_MS);
  history.restart(0, 0);
  history.positionAt(500, 400);
  history.restart(0, 600);
  expect(history.positionAt(1_599, 300)).toBe(0);
});
