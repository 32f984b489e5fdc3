import { expect, test } from "bun:test";
import { scannerViewSchema } from "#shared/protocol/operator.ts";
import { WIRE_VERSION, WIRE_VERSION_HEADER } from "#shared/protocol/version.ts";
import { describeOnSqlite } from "../../store/testing/stores.ts";
import { errorCode, errorOf, TestControlPlane } from "../../testing/control-plane.ts";

describeOnSqlite("the wire version of an agent", (openTestStore) => {
  const wire = (version: string | number) => ({ [WIRE_VERSION_HEADER]: String(version) });

  test("is served when it is ours, newer, or not told", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { key } = await plane.addScanner("s1");
    for (const headers of [wire(WIRE_VERSION), wire(WIRE_VERSION + 7), {}]) {
      const answer = await plane.call("POST", "/scanner/heartbeat", { key, headers, body: {} });
      expect(answer.status).toBe(200);
    }
  });

  test("is served from the oldest on, and older ones are told to upgrade", async () => {
    const plane = new TestControlPlane(await openTestStore(), { minWireVersion: 3 });
    const { id, key } = await plane.addScanner("s1");
    const beat = (version: number) =>
      plane.call("POST", "/scanner/heartbeat", { key, headers: wire(version), body: {} });
    expect((await beat(3)).status).toBe(200);
    const refused = await beat(2);
    expect([refused.status, errorOf(refused)]).toEqual([
      426,
      {
        code: "AGENT_OUTDATED",
        message: "this agent speaks wire version 2, and 3 is the oldest that is served: upgrade the agent",
        details: { minWireVersion: 3 },
      },
    ]);
    expect(refused.headers.get("upgrade")).toBe("portolan-wire/3");
    const scanner = await plane.operate("GET", `/api/config/scanners/${id}`, scannerViewSchema);
    expect(scanner.lastAuthError?.code).toBe("AGENT_OUTDATED");
  });

  test("is looked at before a one-time token is used up", async () => {
    const plane = new TestControlPlane(await openTestStore(), { minWireVersion: 2 });
    const { token } = await plane.provision("s1");
    const register = (version: number) =>
      plane.call("POST", "/scanner/register", {
        headers: wire(version),
        body: { token, installId: crypto.randomUUID() },
      });
    expect(errorCode(await register(1))).toBe("AGENT_OUTDATED");
    expect((await register(2)).status).toBe(200);
  });

  test("of a caller with a wrong key is none of its business", async () => {
    const plane = new TestControlPlane(await openTestStore(), { minWireVersion: 2 });
    const answer = await plane.call("GET", "/scanner/jobs", { key: "ptl_key_x", headers: wire(1) });
    expect(errorCode(answer)).toBe("INVALID_API_KEY");
  });

  test.each(["0", "-1", "1.5", "one", "1e3", "9999999999"])("is not %j", async (text) => {
    const plane = new TestControlPlane(await openTestStore());
    const { key } = await plane.addScanner("s1");
    const answer = await plane.call("GET", "/scanner/jobs", { key, headers: wire(text) });
    expect([answer.status, errorOf(answer)]).toEqual([
      400,
      {
        code: "INVALID_REQUEST",
        message: "the header x-portolan-wire must be a positive whole number",
      },
    ]);
  });

  test("comes with every answer of the scanner API, errors included, and with no other", async () => {
    const plane = new TestControlPlane(await openTestStore(), { minWireVersion: 2 });
    const { key } = await plane.addScanner("s1");
    const { token } = await plane.provision("s2");
    const answers = [
      await plane.call("GET", "/scanner/jobs", { key }),
      await plane.call("GET", "/scanner/jobs", { key, headers: wire(1) }),
      await plane.call("GET", "/scanner/jobs", { key: "wrong" }),
      await plane.call("GET", "/scanner/install", { token }),
      await plane.call("GET", "/scanner/nothing"),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 426, 401, 200, 404]);
    for (const { headers } of answers) expect(headers.get(WIRE_VERSION_HEADER)).toBe(String(WIRE_VERSION));
    expect((await plane.call("GET", "/health")).headers.has(WIRE_VERSION_HEADER)).toBe(false);
  });
});
