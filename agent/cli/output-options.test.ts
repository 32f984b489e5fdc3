/** Which format a report gets, and where colours are refused. */

import { describe, expect, test } from "bun:test";
import type { TextOutput } from "./context.ts";
import { reportFormat, reportLook } from "./output-options.ts";
import { shellWord } from "./shell-word.ts";

test.each([
  [{}, true, "table"],
  [{}, false, "ndjson"],
  [{ format: "csv" }, true, "csv"],
  [{ output: "scan.xml" }, true, "xml"],
  [{ output: "SCAN.XML" }, false, "xml"],
  [{ output: "scan.jsonl" }, false, "ndjson"],
  [{ output: "scan.json" }, false, "json"],
  [{ output: "scan.gnmap" }, false, "grepable"],
  [{ output: "scan.txt" }, false, "table"],
  [{ output: "scan.xml", format: "list" }, false, "list"],
])("%j on a terminal %j: %s", (flags, isTerminal, format) => {
  expect(String(reportFormat(flags, isTerminal))).toBe(format);
});

test.each([
  [{ format: "html" }, "'html'"],
  [{ output: "scan.out" }, "--format"],
  [{ output: "X" }, "-o FILE --format xml"],
  [{ output: "G" }, "-o FILE --format grepable"],
])("%j is refused", (flags, named) => {
  expect(() => reportFormat(flags, true)).toThrow(named);
});

describe("the look", () => {
  const look = (flags: object, isTerminal: boolean, environment: Readonly<Record<string, string>>) => {
    const stdout: TextOutput = { isTerminal, columns: () => undefined, write: async () => true };
    const { paint, isLive } = reportLook(flags, { environment, stdout });
    return { isColoured: paint("bold", "x") !== "x", isLive };
  };

  test.each([
    ["a terminal", {}, true, {}, { isColoured: true, isLive: true }],
    ["NO_COLOR", {}, true, { NO_COLOR: "1" }, { isColoured: false, isLive: true }],
    ["an empty NO_COLOR", {}, true, { NO_COLOR: "" }, { isColoured: true, isLive: true }],
    ["a dumb terminal", {}, true, { TERM: "dumb" }, { isColoured: false, isLive: true }],
    ["a pipe", {}, false, {}, { isColoured: false, isLive: false }],
    ["a file", { output: "scan.txt" }, true, {}, { isColoured: false, isLive: false }],
  ])("of %s", (_what, flags, isTerminal, environment, expected) => {
    expect(look(flags, isTerminal, environment)).toEqual(expected);
  });
});

test.each([
  ["scan", "scan"],
  ["10.0.0.0/24", "10.0.0.0/24"],
  ["22,80-443,!25", "'22,80-443,!25'"],
  ["it's", String.raw`'it'\''s'`],
  ["", "''"],
  ["a b\n", "'a b\n'"],
])("the shell takes %j as %s", (word, quoted) => {
  expect(shellWord(word)).toBe(quoted);
  const { stdout } = Bun.spawnSync(["sh", "-c", `printf %s ${quoted}`]);
  expect(stdout.toString()).toBe(word);
});
