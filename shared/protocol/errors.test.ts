/** Error codes ⇄ status, as clients rely on them. */

import { describe, expect, test } from "bun:test";
import { ERROR_STATUS, errorBodySchema } from "./errors.ts";

describe("ERROR_STATUS", () => {
  test("codes are upper case words and statuses are errors", () => {
    for (const [code, status] of Object.entries(ERROR_STATUS)) {
      expect(code).toMatch(/^[A-Z]+(?:_[A-Z]+)*$/);
      expect(status).toBeWithin(400, 600);
    }
  });

  test("the codes that agents act on keep their status", () => {
    expect(ERROR_STATUS).toMatchObject({
      INVALID_API_KEY: 401,
      SCANNER_DISABLED: 403,
      IP_BINDING_VIOLATION: 403,
      JOB_NOT_YOURS: 409,
      JOB_ENDED: 409,
      AGENT_OUTDATED: 426,
      RATE_LIMITED: 429,
      BINARY_NOT_BUILT: 501,
      DATABASE_UNAVAILABLE: 503,
    });
  });
});

describe("errorBodySchema", () => {
  test("reads the error body, with a code it does not know yet too", () => {
    const body = {
      error: { code: "SOMETHING_NEW", message: "New in a later version", details: { port: 7 } },
    };
    expect(errorBodySchema.parse(body)).toEqual(body);
    expect(errorBodySchema.safeParse({ error: { code: "NOT_FOUND", message: "No such scan" } }).success).toBe(
      true,
    );
  });

  test.each([{}, { error: "text" }, { error: { code: "X" } }, { error: { message: "m" } }, { message: "m" }])(
    "refuses %j",
    (body) => {
      expect(errorBodySchema.safeParse(body).success).toBe(false);
    },
  );
});
