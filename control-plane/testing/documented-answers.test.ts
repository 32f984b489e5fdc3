import { beforeAll, expect, test } from "bun:test";
import { createDocument } from "../http/openapi.ts";
import { openStore } from "../store/store.ts";
import { TestControlPlane } from "./control-plane.ts";
import { DocumentedAnswers, type Exchange } from "./documented-answers.ts";

let answers: DocumentedAnswers;

beforeAll(() => {
  answers = new DocumentedAnswers(createDocument(new TestControlPlane(openStore(":memory:")).app));
});

function check(exchange: Partial<Exchange> & { path: string }): void {
  const headers = new Headers({ "Content-Type": "application/json" });
  const whole = { method: "GET", sentBody: undefined, status: 200, headers, body: "", ...exchange };
  answers.check(whole, exchange.path);
}

const HEALTHY = { status: "ok", version: "1.0.0", database: { kind: "sqlite", reachable: true } };
const refusal = (code: string) => ({ error: { code, message: "no" } });

test("an answer as the document says passes", () => {
  check({ path: "/health", body: HEALTHY });
  check({ path: "/api/scans/7", status: 404, body: refusal("NOT_FOUND") });
  check({ path: "/nothing", status: 404, body: refusal("NOT_FOUND") });
  check({ path: "/health", method: "PATCH", status: 405, body: refusal("METHOD_NOT_ALLOWED") });
});

const limited = new Headers({ "Content-Type": "application/json", "Retry-After": "60" });

test.each<[string, string, Partial<Exchange> & { path: string }]>([
  ["a status of its own", "does not declare this status", { path: "/health", status: 418, body: HEALTHY }],
  [
    "an error that it has not declared",
    '...refuses("CONFLICT")',
    { path: "/api/scanners", status: 409, body: refusal("CONFLICT") },
  ],
  [
    "a code that its status has not",
    "/error/code must be equal to one of the allowed values",
    { path: "/api/scans/7", status: 404, body: refusal("CONFLICT") },
  ],
  ["a field too many", "unevaluatedProperty", { path: "/health", body: { ...HEALTHY, secret: 1 } }],
  [
    "a field too many further in",
    "/database must NOT have unevaluated properties",
    { path: "/health", body: { ...HEALTHY, database: { ...HEALTHY.database, secret: 1 } } },
  ],
  [
    "a field too few",
    "must have required property 'version'",
    { path: "/health", body: { ...HEALTHY, version: undefined } },
  ],
  ["a wrong type", "/version must be string", { path: "/health", body: { ...HEALTHY, version: 1 } }],
  [
    "another content type",
    "answers text/html, and declares application/json",
    { path: "/health", headers: new Headers({ "Content-Type": "text/html" }), body: "<p>" },
  ],
  [
    "no Retry-After where there must be one",
    "is to answer with the header retry-after",
    { path: "/api/scanners", status: 429, body: refusal("RATE_LIMITED") },
  ],
  [
    "a header that is not declared",
    "does not declare the header retry-after",
    { path: "/health", headers: limited, body: HEALTHY },
  ],
  ["success where nothing is", "has no such call", { path: "/api/nothing", body: {} }],
  [
    "success for a method that is not there",
    "has no such call",
    { path: "/health", method: "PUT", body: {} },
  ],
  [
    "success for a body that is not as declared",
    "a body was accepted that is not as declared: / must have required property 'role'",
    {
      path: "/api/tokens",
      method: "POST",
      status: 201,
      sentBody: { name: "x" },
      body: {
        token: "ptl_op_x",
        info: {
          id: 1,
          name: "x",
          role: "viewer",
          createdBy: "system",
          createdAt: "2026-01-27T10:30:00Z",
          revokedAt: null,
          lastUsedAt: null,
        },
      },
    },
  ],
])("%s fails", (_, message, exchange) => {
  expect(() => check(exchange)).toThrow(message);
});

test("a call of a test fails when its answer does", async () => {
  const plane = new TestControlPlane(openStore(":memory:"));
  plane.app.get("/scanner/undocumented", (c) => c.json({}));
  const call = plane.call("GET", "/scanner/undocumented").then(
    () => "passed",
    (error: unknown) => String(error),
  );
  expect(await call).toContain("the document has no such call");
  await plane.store.close();
});
