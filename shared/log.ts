/**
 * Structured log lines: a stable event name for programs, a sentence for people.
 * Writes nowhere itself; the composition root gives the sink.
 */

export const LOG_LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface LogEntry {
  readonly timeMs: number;
  readonly level: LogLevel;
  /** Dotted, stable, e.g. `heartbeat.rejected`. */
  readonly event: string;
  readonly message: string;
  readonly fields: LogFields;
}

export type LogSink = (entry: LogEntry) => void;

/** Reads a level as people write it. A value that is none of the four means INFO. */
export function parseLogLevel(text: string | undefined): LogLevel {
  const wanted = text?.trim().toUpperCase();
  return LOG_LEVELS.find((level) => level === wanted) ?? "INFO";
}

export class Log {
  private readonly sink: LogSink;
  private readonly threshold: number;
  private readonly nowMs: () => number;

  constructor(sink: LogSink, level: LogLevel, nowMs: () => number) {
    this.sink = sink;
    this.threshold = LOG_LEVELS.indexOf(level);
    this.nowMs = nowMs;
  }

  debug(event: string, message: string, fields: LogFields = {}): void {
    this.write("DEBUG", event, message, fields);
  }

  info(event: string, message: string, fields: LogFields = {}): void {
    this.write("INFO", event, message, fields);
  }

  warning(event: string, message: string, fields: LogFields = {}): void {
    this.write("WARNING", event, message, fields);
  }

  error(event: string, message: string, fields: LogFields = {}): void {
    this.write("ERROR", event, message, fields);
  }

  private write(level: LogLevel, event: string, message: string, fields: LogFields): void {
    if (LOG_LEVELS.indexOf(level) < this.threshold) return;
    this.sink({ timeMs: this.nowMs(), level, event, message, fields });
  }
}

/** One line for a terminal or journald: `2026-01-27T10:30:00.000Z INFO heartbeat.sent Heartbeat accepted ms=12`. */
export function formatLogLine(entry: LogEntry): string {
  const fields = Object.entries(entry.fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${typeof value === "string" ? JSON.stringify(value) : String(value)}`)
    .join("");
  const message = entry.message.replaceAll(/[\r\n]+/g, " ");
  return `${new Date(entry.timeMs).toISOString()} ${entry.level} ${entry.event} ${message}${fields}`;
}
