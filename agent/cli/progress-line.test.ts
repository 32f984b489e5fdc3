/** The progress line: what it says, what it leaves out where there is no room, and that it is nowhere but on a terminal. */

import { describe, expect, test } from "bun:test";
import type { ScanProgress } from "../engine/scan.ts";
import { durationText, ProgressLine, type ProgressPace, progressText } from "./progress-line.ts";

const HALF: ScanProgress = {
  pass: 1,
  passes: 2,
  probesPlanned: 1_000_000,
  probesCovered: 500_000,
  packetsSent: 500_000,
  open: 1_234,
};
const PACE: ProgressPace = { ratePps: 10_000.4, coveredHere: 500_000, elapsedMs: 50_000, columns: 80 };

test("says share, time left, found and rate", () => {
  expect(progressText(HALF, PACE)).toBe("50.0 %  50 s left  1,234 found  10,000 packets/s");
});

test.each([
  [47, "50.0 %  50 s left  1,234 found"],
  [30, "50.0 %  50 s left"],
  [17, "50.0 %"],
  [5, ""],
])("on %d columns the least important goes first, and the last column stays free", (columns, text) => {
  expect(progressText(HALF, { ...PACE, columns })).toBe(text);
});

test("does not guess before anything was done", () => {
  const nothing = { ...HALF, probesCovered: 0, packetsSent: 0, open: 0 };
  expect(progressText(nothing, { ...PACE, coveredHere: 0, elapsedMs: 0, ratePps: 0 })).toStartWith(
    "0.0 %  starting",
  );
});

test("a resumed scan is judged by what this run did", () => {
  expect(progressText(HALF, { ...PACE, coveredHere: 100_000 })).toContain("4 min 10 s left");
});

test("after the first pass it says which pass it is, then that it waits", () => {
  const done = { ...HALF, pass: 2, probesCovered: 1_000_000 };
  expect(progressText(done, PACE)).toContain("100.0 %  pass 2 of 2");
  expect(progressText(done, { ...PACE, ratePps: 0 })).toContain("waiting for answers");
});

test.each([
  [0, "0 s"],
  [1, "1 s"],
  [59_001, "1 min"],
  [61_000, "1 min 1 s"],
  [3_600_000, "1 h"],
  [5 * 3_600_000 + 12 * 60_000 + 9_000, "5 h 12 min"],
  [90_000_000, "1 d 1 h"],
])("%d ms are %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

describe("draws", () => {
  const lineOn = (isTerminal: boolean) => {
    const written: (string | Uint8Array)[] = [];
    const line = new ProgressLine(
      { progress: () => HALF },
      {
        isTerminal,
        columns: () => 80,
        write: async (text) => {
          written.push(text);
          return true;
        },
      },
      true,
    );
    return { line, written };
  };

  test("nothing where there is no terminal", () => {
    const { line, written } = lineOn(false);
    line.start();
    line.clear();
    line.stop();
    expect(written).toEqual([]);
  });

  test("and takes its line away, when something else is to be written and at the end", () => {
    const { line, written } = lineOn(true);
    line.start();
    line.clear();
    line.stop();
    line.clear();
    expect(written).toEqual(["\r\u001B[K", "\r\u001B[K"]);
  });
});
