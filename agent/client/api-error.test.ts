/** What a refusal says, and what the agent may do next. */

import { describe, expect, test } from "bun:test";
import { ERROR_STATUS } from "#shared/protocol/errors.ts";
import { errorOfResponse } from "./api-error.ts";

function refusal(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers });
}

function coded(code: string, message: string): string {
  return JSON.stringify({ error: { code, message } });
}

describe("errorOfResponse", () => {
  test("takes code and message from the one error body", async () => {
    for (const [code, status] of Object.entries(ERROR_STATUS)) {
      const error = await errorOfResponse(refusal(status, coded(code, "why")));
      expect(error).toMatchObject({ code, message: "why", status, name: "ApiError" });
    }
  });

  test.each([
    [400, false],
    [401, false],
    [403, false],
    [404, false],
    [408, true],
    [409, false],
    [413, false],
    [429, true],
    [500, true],
    [502, true],
    [503, true],
  ])("%d may succeed later: %p", async (status, retryable) => {
    expect((await errorOfResponse(refusal(status, coded("X", "x")))).retryable).toBe(retryable);
  });

  test.each([
    ["a proxy's page, in short", "<h1>Bad\n  Gateway</h1>", "HTTP 502: <h1>Bad Gateway</h1>"],
    ["nothing", "", "HTTP 502"],
    ["JSON of another kind", '{"error":"no"}', 'HTTP 502: {"error":"no"}'],
  ])("shows %s", async (_name, body, message) => {
    expect(await errorOfResponse(refusal(502, body))).toMatchObject({ code: "HTTP_ERROR", message });
  });

  test("cuts what is long", async () => {
    const { message } = await errorOfResponse(refusal(500, "x".repeat(100_000)));
    expect(message.length).toBeLessThan(400);
  });

  test.each([
    ["seconds", 503, "7", 7_000],
    ["zero", 503, "0", 0],
    ["more than an hour, which is taken for an hour", 429, "90000", 3_600_000],
    ["a date, which no control plane of ours sends", 503, "Wed, 21 Oct 2026 07:28:00 GMT", undefined],
    ["a date with 429", 429, "Wed, 21 Oct 2026 07:28:00 GMT", 60_000],
    ["a negative number", 503, "-5", undefined],
  ])("Retry-After with %s", async (_name, status, header, retryAfterMs) => {
    const error = await errorOfResponse(refusal(status, "", { "retry-after": header }));
    expect(error.retryAfterMs).toBe(retryAfterMs);
  });

  test("waits a minute after 429 that names no time, and no set time after other errors", async () => {
    expect((await errorOfResponse(refusal(429, ""))).retryAfterMs).toBe(60_000);
    expect((await errorOfResponse(refusal(503, ""))).retryAfterMs).toBeUndefined();
  });
});
