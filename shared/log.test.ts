/** Levels, filtering, and the one line that people and journald read. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { formatLogLine, Log, LOG_LEVELS, type LogEntry, type LogLevel, parseLogLevel } from "./log.ts";

const TIME_MS = Date.UTC(2026, 0, 27, 10, 30);

function collect(level: LogLevel): { log: Log; entries: LogEntry[] } {
  const entries: LogEntry[] = [];
  return {
    log: new Log(
      (entry) => entries.push(entry),
      level,
      () => TIME_MS,
    ),
    entries,
  };
}

function entry(overrides: Partial<LogEntry> = {}): LogEntry {
  return {
    timeMs: TIME_MS,
    level: "INFO",
    event: "heartbeat.sent",
    message: "Heartbeat accepted",
    fields: {},
    ...overrides,
  };
}

describe("parseLogLevel", () => {
  test.each([
    ["DEBUG", "DEBUG"],
    ["warning", "WARNING"],
    [" Error ", "ERROR"],
    ["", "INFO"],
    ["verbose", "INFO"],
    ["warn", "INFO"],
    [undefined, "INFO"],
  ] as const)("reads %j as %s", (text, level) => {
    expect(parseLogLevel(text)).toBe(level);
  });
});

describe("Log", () => {
  test("passes on its level and above", () => {
    for (const [threshold, level] of LOG_LEVELS.entries()) {
      const { log, entries } = collect(level);
      log.debug("e", "m");
      log.info("e", "m");
      log.warning("e", "m");
      log.error("e", "m");
      expect(entries.map((written) => written.level)).toEqual(LOG_LEVELS.slice(threshold));
    }
  });

  test("gives the sink time, event, message and fields as they are", () => {
    const { log, entries } = collect("INFO");
    log.warning("job.lost", "Job lost its lease", { jobId: 7 });
    log.info("daemon.started", "Started");
    expect(entries).toEqual([
      entry({ level: "WARNING", event: "job.lost", message: "Job lost its lease", fields: { jobId: 7 } }),
      entry({ event: "daemon.started", message: "Started" }),
    ]);
  });
});

describe("formatLogLine", () => {
  test("is time, level, event, message, fields", () => {
    const fields = { ms: 12, ok: true, server: "https://example.org/a b", none: null, absent: undefined };
    expect(formatLogLine(entry({ fields }))).toBe(
      "2026-01-27T10:30:00.000Z INFO heartbeat.sent Heartbeat accepted" +
        ' ms=12 ok=true server="https://example.org/a b" none=null',
    );
  });

  test("stays one line, whatever message and fields hold", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (message, value) => {
        const line = formatLogLine(entry({ message: `${message}\r\n${message}`, fields: { value } }));
        expect(line).not.toMatch(/[\r\n]/);
      }),
    );
  });
});
