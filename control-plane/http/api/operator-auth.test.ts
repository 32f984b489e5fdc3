import { expect, test } from "bun:test";
import { operatorTokenListSchema } from "#shared/protocol/administration.ts";
import { errorCode, TestControlPlane } from "../../testing/control-plane.ts";
import { describeOnSqlite } from "../../store/testing/stores.ts";
import { requiredRole } from "./operator-auth.ts";

test.each([
  ["GET", "/api/scans", "viewer"],
  ["HEAD", "/api/scanners/1", "viewer"],
  ["POST", "/api/scans", "operator"],
  ["DELETE", "/api/config/scanners/1", "operator"],
  ["GET", "/api/audit", "admin"],
  ["GET", "/api/audit/verify", "admin"],
  ["POST", "/api/tokens", "admin"],
  ["GET", "/api/tokens", "admin"],
] as const)("%s %s needs the role %s", (method, path, role) => {
  expect(requiredRole(method, path)).toBe(role);
});

describeOnSqlite("operators", (openTestStore) => {
  test("may do what their role allows, and are told which it takes", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const asked = async (role: "viewer" | "operator" | "admin") => {
      const token = await plane.token(role);
      const calls = [
        plane.call("GET", "/api/scanners", { token }),
        plane.call("POST", "/api/config/scanners", { token, body: { name: `by-${role}` } }),
        plane.call("GET", "/api/audit", { token }),
      ];
      return (await Promise.all(calls)).map(({ status }) => status);
    };
    expect(await asked("viewer")).toEqual([200, 403, 403]);
    expect(await asked("operator")).toEqual([200, 201, 403]);
    expect(await asked("admin")).toEqual([200, 201, 200]);
    const refused = await plane.call("GET", "/api/tokens", { token: await plane.token("viewer") });
    expect(refused.body).toMatchObject({
      error: { code: "FORBIDDEN", message: "this needs the role 'admin'; your token has the role 'viewer'" },
    });
  });

  test("are not known without a token, with a wrong or a revoked one, or with a scanner's key", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const viewer = await plane.token("viewer");
    const admin = await plane.token("admin");
    const { tokens } = await plane.operate("GET", "/api/tokens", operatorTokenListSchema);
    const id = tokens.find(({ name }) => name === "test-viewer")?.id;
    expect((await plane.call("DELETE", `/api/tokens/${id}`, { token: admin })).status).toBe(204);
    expect((await plane.call("DELETE", `/api/tokens/${id}`, { token: admin })).status).toBe(404);
    for (const credentials of [
      {},
      { token: "ptl_op_wrong" },
      { token: viewer },
      { token: scanner.key },
      { key: scanner.key },
    ]) {
      const answer = await plane.call("GET", "/api/scanners", credentials);
      expect([answer.status, errorCode(answer)]).toEqual([401, "UNAUTHENTICATED"]);
    }
  });

  test("are asked for a token before their request is looked at", async () => {
    const plane = new TestControlPlane(await openTestStore());
    expect((await plane.call("POST", "/api/scans", { body: { nonsense: true } })).status).toBe(401);
    expect((await plane.call("GET", "/api/nothing")).status).toBe(401);
  });

  test("get 429 after ten wrong tokens from one address, while right ones pass", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const token = await plane.token("viewer");
    for (let i = 0; i < 10; i++)
      expect((await plane.call("GET", "/api/scans", { token: "ptl_op_x" })).status).toBe(401);
    const limited = await plane.call("GET", "/api/scans", { token: "ptl_op_x" });
    expect([limited.status, errorCode(limited), limited.headers.get("retry-after")]).toEqual([
      429,
      "RATE_LIMITED",
      "60",
    ]);
    expect((await plane.call("GET", "/api/scans", { token })).status).toBe(200);
    expect((await plane.call("GET", "/api/scans", { token: "ptl_op_x", from: "192.0.2.2" })).status).toBe(
      401,
    );
    plane.clock.advance(60_000);
    expect((await plane.call("GET", "/api/scans", { token: "ptl_op_x" })).status).toBe(401);
  });

  test("have their tokens' last use noted", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await plane.call("GET", "/api/scans", { token: await plane.token("viewer") });
    const { body } = await plane.call("GET", "/api/tokens", { token: await plane.token("admin") });
    expect(body).toMatchObject({ tokens: [{ name: "test-viewer", lastUsedAt: expect.any(String) }, {}] });
  });

  test("are given the first token once, and none when it cannot be kept", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { operators } = plane.services;
    const failing = operators.createFirst(() => Promise.reject(new Error("disk full")));
    await expect(failing).rejects.toThrow("disk full");
    const kept: string[] = [];
    const first = await operators.createFirst(async (token) => void kept.push(token));
    expect(kept).toEqual([first ?? "none"]);
    expect(await operators.createFirst(async (token) => void kept.push(token))).toBeUndefined();
    expect((await plane.call("GET", "/api/audit", { token: first ?? "none" })).status).toBe(200);
  });
});
