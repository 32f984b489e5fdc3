/**
 * When a schedule is due, by the clock of its time zone. Computation only; what daylight saving does to it:
 * a time that does not exist that day comes at the first moment after the gap, and a time that exists twice comes once,
 * the first time. Hourly schedules, and cron expressions with a wildcard or a step in minute or hour, go by hours that
 * pass: they skip the gap and run in both passes of the repeated hour.
 */

import { createHash } from "node:crypto";
import { Cron } from "croner";
import type { ScheduleTiming } from "#shared/protocol/schedule.ts";

/** An area and a place, or a name such as `UTC`: no offsets, which know no daylight saving. */
const TIME_ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/;
const FEBRUARY = 2;
/** Minute, hour, day of month, month, day of week. */
const CRON_FIELDS = 5;

/** The first time after `afterMs`; undefined when there is none any more. Milliseconds since 1970 UTC. */
export function nextRunAfter(timing: ScheduleTiming, timeZone: string, afterMs: number): number | undefined {
  const times = patternsOf(timing).flatMap((pattern) => {
    const next = cronOf(pattern, timeZone).nextRun(new Date(afterMs));
    return next === null ? [] : [next.getTime()];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Why the expression cannot be read, or never comes; undefined when it is good. */
export function cronProblem(expression: string): string | undefined {
  if (expression.trim().split(/\s+/).length !== CRON_FIELDS) return `must have ${CRON_FIELDS} fields`;
  try {
    const next = cronOf(expression, "UTC").nextRun();
    return next === null ? "names a time that never comes" : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function isTimeZone(name: string): boolean {
  if (!TIME_ZONE_NAME.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** How much later than its time a run begins: 0 to `jitterSeconds`, the same whoever asks and however often. */
export function jitterMs(scheduleId: number, runAtMs: number, jitterSeconds: number): number {
  const hash = createHash("sha256").update(`${scheduleId}:${runAtMs}`).digest();
  return (hash.readUInt32BE(0) % (jitterSeconds + 1)) * 1_000;
}

/** Five fields each. The last day of a month stands in for a day that the month does not have. */
function patternsOf(timing: ScheduleTiming): string[] {
  switch (timing.kind) {
    case "hourly":
      return [`${timing.minute} * * * *`];
    case "daily":
      return [`${timing.minute} ${timing.hour} * * *`];
    case "weekly":
      return [`${timing.minute} ${timing.hour} * * ${timing.dayOfWeek}`];
    case "monthly":
      return monthlyPatterns(timing.dayOfMonth, `${timing.minute} ${timing.hour}`);
    case "cron":
      return [timing.cron];
  }
}

function monthlyPatterns(day: number, time: string): string[] {
  if (day === 31) return [`${time} L * *`];
  const own = `${time} ${day} * *`;
  return day <= 28 ? [own] : [own, `${time} L ${FEBRUARY} *`];
}

function cronOf(pattern: string, timeZone: string): Cron {
  return new Cron(pattern, { timezone: timeZone, mode: "5-part", fixedTimeRule: "no-wildcard" });
}
