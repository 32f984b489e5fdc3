import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { ScheduleTiming } from "#shared/protocol/schedule.ts";
import { cronProblem, isTimeZone, jitterMs, nextRunAfter } from "./schedule-times.ts";

/** The next runs after a moment, as UTC to the minute. */
function runs(timing: ScheduleTiming, timeZone: string, after: string, count: number): string[] {
  const times: string[] = [];
  let from = Date.parse(after);
  for (let i = 0; i < count; i++) {
    const next = nextRunAfter(timing, timeZone, from);
    if (next === undefined) break;
    times.push(new Date(next).toISOString().slice(0, 16));
    from = next;
  }
  return times;
}

const nightly: ScheduleTiming = { kind: "daily", hour: 2, minute: 30 };

describe("a schedule's times", () => {
  test.each([
    ["hourly", { kind: "hourly", minute: 5 }, ["2026-01-27T10:05", "2026-01-27T11:05"]],
    ["daily", { kind: "daily", hour: 9, minute: 0 }, ["2026-01-28T09:00", "2026-01-29T09:00"]],
    [
      "weekly, where 0 is Sunday",
      { kind: "weekly", dayOfWeek: 0, hour: 9, minute: 0 },
      ["2026-02-01T09:00", "2026-02-08T09:00"],
    ],
    [
      "monthly",
      { kind: "monthly", dayOfMonth: 15, hour: 9, minute: 0 },
      ["2026-02-15T09:00", "2026-03-15T09:00"],
    ],
    ["cron", { kind: "cron", cron: "0 3 * * MON-FRI" }, ["2026-01-28T03:00", "2026-01-29T03:00"]],
  ] as const)("%s", (_, timing, expected) => {
    expect(runs(timing, "UTC", "2026-01-27T10:00:00Z", 2)).toEqual([...expected]);
  });

  test.each([
    [31, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]],
    [30, ["2026-01-30", "2026-02-28", "2026-03-30", "2026-04-30"]],
    [29, ["2026-01-29", "2026-02-28", "2026-03-29", "2026-04-29"]],
  ])("monthly on day %d come on the last day of months that have none", (dayOfMonth, expected) => {
    const timing = { kind: "monthly", dayOfMonth, hour: 0, minute: 0 } as const;
    expect(runs(timing, "UTC", "2026-01-01T00:00:00Z", 4)).toEqual(expected.map((day) => `${day}T00:00`));
  });

  test("monthly on day 29 come once in February of a leap year", () => {
    const timing = { kind: "monthly", dayOfMonth: 29, hour: 0, minute: 0 } as const;
    expect(runs(timing, "UTC", "2028-02-01T00:00:00Z", 2)).toEqual(["2028-02-29T00:00", "2028-03-29T00:00"]);
  });

  test("go by the clock of the time zone", () => {
    expect(runs(nightly, "America/New_York", "2026-01-27T00:00:00Z", 1)).toEqual(["2026-01-27T07:30"]);
    expect(runs(nightly, "Asia/Kolkata", "2026-01-27T00:00:00Z", 1)).toEqual(["2026-01-27T21:00"]);
  });

  test("come after the moment, never at it, whatever the schedule", () => {
    const timing = fc.oneof(
      fc.record({ kind: fc.constant("hourly" as const), minute: fc.integer({ min: 0, max: 59 }) }),
      fc.record({
        kind: fc.constant("daily" as const),
        hour: fc.integer({ min: 0, max: 23 }),
        minute: fc.integer({ min: 0, max: 59 }),
      }),
      fc.record({
        kind: fc.constant("monthly" as const),
        dayOfMonth: fc.integer({ min: 1, max: 31 }),
        hour: fc.integer({ min: 0, max: 23 }),
        minute: fc.integer({ min: 0, max: 59 }),
      }),
    );
    const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe");
    const moment = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2030, 0) });
    const longest = { hourly: 3_600_000, daily: 25 * 3_600_000, monthly: 32 * 24 * 3_600_000 };
    fc.assert(
      fc.property(timing, zone, moment, (when, timeZone, after) => {
        const next = nextRunAfter(when, timeZone, after) ?? 0;
        expect(next).toBeGreaterThan(after);
        // A gap moves a run by an hour, and Lord Howe's by half of one.
        expect(next - after).toBeLessThanOrEqual(longest[when.kind] + 3_600_000);
      }),
      { numRuns: 200 },
    );
  });
});

/** Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC. 25 October: 03:00 becomes 02:00 at 01:00 UTC. */
describe("daylight saving", () => {
  const berlin = "Europe/Berlin";

  test("a time in the gap comes at the first moment after it, and only that day", () => {
    expect(runs(nightly, berlin, "2026-03-28T00:00:00Z", 3)).toEqual([
      "2026-03-28T01:30",
      "2026-03-29T01:00",
      "2026-03-30T00:30",
    ]);
  });

  test("two schedules in one gap both come once", () => {
    const other: ScheduleTiming = { kind: "daily", hour: 2, minute: 0 };
    for (const timing of [nightly, other]) {
      expect(runs(timing, berlin, "2026-03-29T00:45:00Z", 2)[0]).toBe("2026-03-29T01:00");
      expect(runs(timing, berlin, "2026-03-29T01:00:00Z", 1)[0]?.slice(0, 10)).toBe("2026-03-30");
    }
  });

  test("a time that exists twice comes once, the first time", () => {
    expect(runs(nightly, berlin, "2026-10-24T12:00:00Z", 2)).toEqual([
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
  });

  test("a cron expression without wildcards in its time is treated alike, a list too", () => {
    const twice: ScheduleTiming = { kind: "cron", cron: "30 2,14 * * *" };
    expect(runs(twice, berlin, "2026-03-28T23:00:00Z", 2)).toEqual(["2026-03-29T01:00", "2026-03-29T12:30"]);
    expect(runs(twice, berlin, "2026-10-24T22:00:00Z", 2)).toEqual(["2026-10-25T00:30", "2026-10-25T13:30"]);
  });

  test("hourly goes by hours that pass: none is skipped, the repeated one comes twice", () => {
    const hourly: ScheduleTiming = { kind: "hourly", minute: 30 };
    expect(runs(hourly, berlin, "2026-03-29T00:00:00Z", 3)).toEqual([
      "2026-03-29T00:30",
      "2026-03-29T01:30",
      "2026-03-29T02:30",
    ]);
    expect(runs(hourly, berlin, "2026-10-25T00:00:00Z", 3)).toEqual([
      "2026-10-25T00:30",
      "2026-10-25T01:30",
      "2026-10-25T02:30",
    ]);
  });
});

describe("jitter", () => {
  test("is whole seconds, never beyond its bound, and the same each time it is asked for", () => {
    const jitter = fc.integer({ min: 0, max: 86_400 });
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.integer({ min: 0 }), jitter, (id, runAtMs, jitterSeconds) => {
        const ms = jitterMs(id, runAtMs, jitterSeconds);
        expect(ms % 1_000).toBe(0);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(jitterSeconds * 1_000);
        expect(jitterMs(id, runAtMs, jitterSeconds)).toBe(ms);
      }),
    );
  });

  test("differs between runs and between schedules", () => {
    const ofRuns = new Set(Array.from({ length: 50 }, (_, run) => jitterMs(1, run * 86_400_000, 3_600)));
    const ofSchedules = new Set(Array.from({ length: 50 }, (_, id) => jitterMs(id, 0, 3_600)));
    expect([ofRuns.size > 40, ofSchedules.size > 40]).toEqual([true, true]);
  });
});

describe("what operators write", () => {
  test.each(["* * * * *", "*/5 0-6 1,15 * MON", "0 2 L * *"])("cron %p is good", (cron) => {
    expect(cronProblem(cron)).toBeUndefined();
  });

  test.each([
    "",
    "* * * *",
    "* * * * * *",
    "61 * * * *",
    "a b c d e",
    "0 0 30 2 *",
    "@daily x",
    "2030-01-01T00:00:00",
  ])("cron %p is refused", (cron) => {
    expect(cronProblem(cron)).toBeString();
  });

  test.each(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+3"])(
    "%p is a time zone",
    (name) => {
      expect(isTimeZone(name)).toBe(true);
    },
  );

  test.each(["", "Mars/Olympus", "+02:00", "Europe/Berlin'; drop table schedules", "<script>"])(
    "%p is no time zone",
    (name) => {
      expect(isTimeZone(name)).toBe(false);
    },
  );
});
