import { expect, test } from "bun:test";
import { z } from "zod";
import { MAX_BODY_BYTES, MAX_RESULT_BODY_BYTES } from "#shared/protocol/limits.ts";
import { openStore } from "./store/store.ts";
import { describeOnSqlite } from "./store/testing/stores.ts";
import { errorCode, TestControlPlane } from "./testing/control-plane.ts";

const documentSchema = z.object({
  openapi: z.string(),
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ summary: z.string(), responses: z.looseObject({}) })),
  ),
});

describeOnSqlite("the app", (openTestStore) => {
  test("answers an unknown path with 404 and a wrong method with 405, in the one error body", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const unknown = await plane.call("GET", "/nothing/here");
    expect([unknown.status, errorCode(unknown)]).toEqual([404, "NOT_FOUND"]);
    const wrong = await plane.call("DELETE", "/health");
    expect([wrong.status, errorCode(wrong), wrong.headers.get("allow")]).toEqual([
      405,
      "METHOD_NOT_ALLOWED",
      "GET, HEAD",
    ]);
  });

  test("leaves a 404 of a route alone", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const answer = await plane.call("GET", "/api/scans/5", { token: await plane.token("viewer") });
    expect([answer.status, errorCode(answer)]).toEqual([404, "NOT_FOUND"]);
  });

  test("refuses bodies that are no JSON, or say that they are not", async () => {
    const plane = new TestControlPlane(await openTestStore());
    for (const [headers, status, code] of [
      [{ "Content-Type": "application/json" }, 400, "INVALID_REQUEST"],
      [{ "Content-Type": "text/plain" }, 415, "UNSUPPORTED_MEDIA_TYPE"],
      [{}, 415, "UNSUPPORTED_MEDIA_TYPE"],
    ] as const) {
      const response = await plane.app.request(
        "/scanner/register",
        { method: "POST", body: "{oops", headers },
        { peerAddress: "192.0.2.1" },
      );
      expect([response.status, await response.json()]).toMatchObject([status, { error: { code } }]);
    }
  });

  test("refuses bodies beyond the limit of the call", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const token = await plane.token("operator");
    const filler = (size: number) => ({ filler: "x".repeat(size) });
    const large = await plane.call("POST", "/api/scans", { token, body: filler(MAX_BODY_BYTES) });
    expect([large.status, errorCode(large)]).toEqual([413, "BODY_TOO_LARGE"]);
    const path = "/scanner/jobs/1/results";
    const allowed = await plane.call("POST", path, { key: scanner.key, body: filler(MAX_BODY_BYTES) });
    expect(errorCode(allowed)).toBe("INVALID_REQUEST");
    const huge = await plane.call("POST", path, { key: scanner.key, body: filler(MAX_RESULT_BODY_BYTES) });
    expect(errorCode(huge)).toBe("BODY_TOO_LARGE");
  });

  test("sends headers that keep browsers from doing harm, with errors too", async () => {
    const plane = new TestControlPlane(await openTestStore());
    for (const path of ["/health", "/nothing"]) {
      const { headers } = await plane.call("GET", path);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("cache-control")).toBe("no-store");
    }
  });

  test("logs each request at DEBUG, without its query", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await plane.call("GET", "/health?token=ptl_op_secret");
    expect(plane.logged).toMatchObject([
      { level: "DEBUG", event: "request.answered", message: "GET /health 200" },
    ]);
    expect(JSON.stringify(plane.logged)).not.toContain("secret");
  });

  test("describes every route in /openapi.json", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const document = documentSchema.parse((await plane.call("GET", "/openapi.json")).body);
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = plane.app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    expect(described.toSorted()).toEqual([...new Set(served)].toSorted());
    expect(described).toContain("POST /scanner/jobs/{id}/complete");
    expect(described).toContain("POST /api/config/scanners/{id}/regenerate-token");
  });
});

test("without a database the app says so, and when to ask again", async () => {
  const plane = new TestControlPlane(openStore("postgres://nobody@127.0.0.1:1/none"));
  const answer = await plane.call("GET", "/scanner/jobs", { key: "ptl_key_x" });
  expect([answer.status, errorCode(answer), answer.headers.get("retry-after")]).toEqual([
    503,
    "DATABASE_UNAVAILABLE",
    "5",
  ]);
  const health = await plane.call("GET", "/health");
  expect(health.status).toBe(503);
  expect(health.body).toMatchObject({ status: "degraded", database: { kind: "postgres", reachable: false } });
  await plane.store.close();
});

test("what nobody meant to happen is a 500 that shows nothing, and a line in the log", async () => {
  const plane = new TestControlPlane(openStore(":memory:"));
  const answer = await plane.call("GET", "/scanner/jobs", { key: "ptl_key_x" });
  expect([answer.status, errorCode(answer)]).toEqual([500, "INTERNAL"]);
  expect(JSON.stringify(answer.body)).not.toContain("no such table");
  expect(plane.logged).toContainEqual(
    expect.objectContaining({
      level: "ERROR",
      event: "request.failed",
      message: expect.stringContaining("no such table"),
    }),
  );
  await plane.store.close();
});
