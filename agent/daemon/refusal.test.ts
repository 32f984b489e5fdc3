/** What a refused call means, and how the log says it. */

import { describe, expect, test } from "bun:test";
import { Log, type LogEntry } from "#shared/log.ts";
import { ApiError } from "../client/api-error.ts";
import { isJobGone, isUnwelcome, logRefusal } from "./refusal.ts";

function refusal(status: number, retryAfterMs?: number): ApiError {
  return new ApiError("SOME_CODE", "because", { status, retryAfterMs });
}

function logged(error: unknown): LogEntry[] {
  const entries: LogEntry[] = [];
  logRefusal(
    new Log(
      (entry) => entries.push(entry),
      "DEBUG",
      () => 0,
    ),
    "jobs",
    error,
  );
  return entries;
}

describe("a refusal means", () => {
  test.each([
    [400, "INVALID_REQUEST", false, false],
    [401, "INVALID_API_KEY", true, false],
    [403, "SCANNER_DISABLED", true, false],
    [426, "AGENT_OUTDATED", true, false],
    [404, "NOT_FOUND", false, true],
    [409, "JOB_NOT_YOURS", false, true],
    [409, "JOB_ENDED", false, true],
    [409, "CONFLICT", false, false],
    [429, "RATE_LIMITED", false, false],
    [500, "INTERNAL", false, false],
    // A proxy's own page, while what is behind it restarts.
    [404, "HTTP_ERROR", false, false],
    [409, "HTTP_ERROR", false, false],
    [0, "UNREACHABLE", false, false],
  ])("%d %s: scanner unwelcome %p, job gone %p", (status, code, unwelcome, gone) => {
    const error = new ApiError(code, "because", { status, retryAfterMs: undefined });
    expect([isUnwelcome(error), isJobGone(error)]).toEqual([unwelcome, gone]);
  });

  test("nothing of the kind for other errors", () => {
    for (const error of [new Error("x"), undefined, { status: 401 }]) {
      expect([isUnwelcome(error), isJobGone(error)]).toEqual([false, false]);
    }
  });
});

describe("the log", () => {
  test.each([
    [401, "ERROR", "auth.failed", "Authentication failed: because"],
    [403, "ERROR", "auth.refused", "The control plane refuses this scanner: because"],
    [404, "WARNING", "call.failed", "because"],
    [500, "WARNING", "call.failed", "because"],
    [0, "WARNING", "call.failed", "because"],
  ] as const)("of %d", (status, level, event, message) => {
    const fields = { call: "jobs", status, code: "SOME_CODE" };
    expect(logged(refusal(status))).toEqual([{ timeMs: 0, level, event, message, fields }]);
  });

  test("of 429 says how long", () => {
    expect(logged(refusal(429, 61_400))).toMatchObject([
      { level: "WARNING", event: "rate.limited", message: "Rate limited, waiting 61 seconds" },
    ]);
  });

  test("of anything else that was thrown", () => {
    expect(logged(new Error("no such file"))).toMatchObject([
      { message: "no such file", fields: { call: "jobs" } },
    ]);
  });
});
