import { expect, test } from "bun:test";
import { sql } from "kysely";
import { OFFLINE_AFTER_MS } from "#shared/protocol/limits.ts";
import {
  scannerCreateResponseSchema,
  type ScannerView,
  scannerViewSchema,
} from "#shared/protocol/operator.ts";
import { registerResponseSchema } from "#shared/protocol/scanner.ts";
import { parseNetwork } from "../../services/network.ts";
import { describeOnSqlite } from "../../store/testing/stores.ts";
import { type Answer, errorCode, TestControlPlane, type TestScanner } from "../../testing/control-plane.ts";

function heartbeat(
  plane: TestControlPlane,
  scanner: TestScanner,
  from: string,
  body: object = {},
): Promise<Answer> {
  return plane.call("POST", "/scanner/heartbeat", { key: scanner.key, from, body });
}

function view(plane: TestControlPlane, scanner: TestScanner): Promise<ScannerView> {
  return plane.operate("GET", `/api/scanners/${scanner.id}`, scannerViewSchema);
}

async function act(plane: TestControlPlane, scanner: TestScanner, action: string): Promise<void> {
  await plane.operate("POST", `/api/config/scanners/${scanner.id}/${action}`, scannerViewSchema);
}

describeOnSqlite("a heartbeat", (openTestStore) => {
  test("stores inventory and metrics, and tells the time", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const metrics = { loadAvg1m: 0.5, memoryTotalBytes: 8_589_934_592, numCpus: 4 };
    const answer = await heartbeat(plane, scanner, "203.0.113.5", {
      version: "1.2.3",
      internalIp: "10.0.0.5",
      metrics,
    });
    expect(answer.body).toEqual({ ok: true, serverTime: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect(await heartbeat(plane, scanner, "203.0.113.5", { hostname: "edge" })).toMatchObject({
      status: 200,
    });
    expect(await view(plane, scanner)).toMatchObject({
      status: "active",
      version: "1.2.3",
      hostname: "edge",
      internalIp: "10.0.0.5",
      externalIp: "203.0.113.5",
      metrics,
    });
    const stats = await plane.store.run(({ db }) => db.selectFrom("scanner_stats").selectAll().execute());
    expect(stats).toMatchObject([
      { scanner_id: scanner.id, load_avg_1m: 0.5, num_cpus: 4, load_avg_5m: null },
    ]);
  });

  test("is good even when its metrics cannot be kept", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    await plane.store.run(({ db }) => sql`drop table scanner_stats`.execute(db));
    const answer = await heartbeat(plane, scanner, "192.0.2.1", { metrics: { numCpus: 4 } });
    expect(answer.status).toBe(200);
    expect(plane.logged.map(({ event }) => event)).toContain("metrics.lost");
  });

  test("decides the status: pending, active, offline, disabled", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const pending = await plane.provision("never-seen");
    const scanner = await plane.addScanner("s1");
    const statusOf = async (id: number) =>
      (await plane.operate("GET", `/api/scanners/${id}`, scannerViewSchema)).status;
    expect(await statusOf(pending.id)).toBe("pending");
    await heartbeat(plane, scanner, "192.0.2.1");
    expect(await statusOf(scanner.id)).toBe("active");
    plane.store.dialect.shiftClock(OFFLINE_AFTER_MS);
    expect(await statusOf(scanner.id)).toBe("offline");
    await heartbeat(plane, scanner, "192.0.2.1");
    expect(await statusOf(scanner.id)).toBe("active");
    await act(plane, scanner, "disable");
    expect(await statusOf(scanner.id)).toBe("disabled");
  });

  test("with wrong fields is refused, naming them", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const answer = await heartbeat(plane, scanner, "192.0.2.1", { metrics: { numCpus: 0 } });
    expect(answer.body).toMatchObject({
      error: { code: "INVALID_REQUEST", message: expect.stringContaining("metrics.numCpus") },
    });
  });
});

describeOnSqlite("a key", (openTestStore) => {
  test("that is missing, unknown, an operator's or a provisioning token gets 401", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await plane.provision("s1");
    for (const key of [undefined, "ptl_key_x", await plane.token("admin"), token]) {
      const answer = await plane.call("GET", "/scanner/jobs", key === undefined ? {} : { key });
      expect([answer.status, errorCode(answer)]).toEqual([401, "INVALID_API_KEY"]);
    }
  });

  test("that was replaced gets 401, and the scanner's record tells it until a good heartbeat", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const old = await plane.addScanner("s1");
    const path = `/api/config/scanners/${old.id}/regenerate-token`;
    const { provisioning } = await plane.operate("POST", path, scannerCreateResponseSchema);
    expect(errorCode(await heartbeat(plane, old, "203.0.113.5"))).toBe("INVALID_API_KEY");
    expect((await view(plane, old)).lastAuthError).toMatchObject({
      code: "INVALID_API_KEY",
      address: "203.0.113.5",
    });
    const answer = await plane.call("POST", "/scanner/register", {
      body: { token: provisioning.token, installId: crypto.randomUUID() },
    });
    const { apiKey } = registerResponseSchema.parse(answer.body);
    expect((await heartbeat(plane, { ...old, key: apiKey }, "203.0.113.5")).status).toBe(200);
    expect((await view(plane, old)).lastAuthError).toBeNull();
  });

  test("of a deleted scanner gets 401", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    await plane.call("DELETE", `/api/config/scanners/${scanner.id}`, { token: await plane.token("admin") });
    expect(errorCode(await heartbeat(plane, scanner, "192.0.2.1"))).toBe("INVALID_API_KEY");
  });

  test("is refused with 429 after ten wrong ones from its address, while right ones pass", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const statuses = [];
    for (let i = 0; i < 11; i++)
      statuses.push((await plane.call("GET", "/scanner/jobs", { key: "ptl_key_x" })).status);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
    expect((await heartbeat(plane, scanner, "192.0.2.1")).status).toBe(200);
  });
});

describeOnSqlite("a binding", (openTestStore) => {
  test("without a value takes the address of the first contact, until it is released", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1", { bindingMode: "ip" });
    expect((await view(plane, scanner)).binding.value).toBeNull();
    expect((await heartbeat(plane, scanner, "203.0.113.5")).status).toBe(200);
    const refused = await heartbeat(plane, scanner, "203.0.113.6");
    expect([refused.status, errorCode(refused)]).toEqual([403, "IP_BINDING_VIOLATION"]);
    expect(await view(plane, scanner)).toMatchObject({
      binding: { mode: "ip", value: "203.0.113.5", mismatchCount: 1 },
      lastAuthError: { code: "IP_BINDING_VIOLATION", address: "203.0.113.6" },
      externalIp: "203.0.113.5",
    });
    await act(plane, scanner, "release-binding");
    expect((await heartbeat(plane, scanner, "203.0.113.6")).status).toBe(200);
    expect((await view(plane, scanner)).binding).toEqual({
      mode: "ip",
      value: "203.0.113.6",
      mismatchCount: 0,
    });
  });

  test("of two first contacts from different addresses lets one in", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1", { bindingMode: "ip" });
    const calls = ["203.0.113.5", "203.0.113.6"].map((from) => heartbeat(plane, scanner, from));
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 403]);
  });

  test("to a network lets in all of it", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1", { bindingMode: "subnet", bindingValue: "203.0.113.0/28" });
    expect((await heartbeat(plane, scanner, "203.0.113.15")).status).toBe(200);
    expect((await heartbeat(plane, scanner, "203.0.113.16")).status).toBe(403);
  });

  test("is not got round by X-Forwarded-For, which counts only from trusted proxies", async () => {
    const proxy = parseNetwork("10.0.0.1");
    if (proxy === undefined) throw new Error("unreadable");
    const plane = new TestControlPlane(await openTestStore(), { url: { trustedProxies: [proxy] } });
    const scanner = await plane.addScanner("s1", { bindingMode: "ip", bindingValue: "203.0.113.5" });
    const call = (from: string) =>
      plane.call("POST", "/scanner/heartbeat", {
        key: scanner.key,
        body: {},
        from,
        headers: { "X-Forwarded-For": "203.0.113.5" },
      });
    expect((await call("192.0.2.66")).status).toBe(403);
    expect((await call("10.0.0.1")).status).toBe(200);
  });

  test("holds for polls, unless the scanner is in the middle of a job; and for heartbeats even then", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1", { bindingMode: "ip", bindingValue: "192.0.2.1" });
    const poll = async () =>
      (await plane.call("GET", "/scanner/jobs", { key: scanner.key, from: "192.0.2.99" })).status;
    expect(await poll()).toBe(403);
    await plane.startScan([scanner]);
    const job = await plane.claim(scanner);
    expect(await poll()).toBe(200);
    expect((await heartbeat(plane, scanner, "192.0.2.99")).status).toBe(403);
    expect(
      (await plane.jobCall(scanner, job, "complete", { status: "completed", resultCount: 0 })).status,
    ).toBe(200);
    expect(await poll()).toBe(403);
  });
});

describeOnSqlite("a disabled scanner", (openTestStore) => {
  test("is refused heartbeats and new jobs, but finishes what it runs", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    await plane.startScan([scanner]);
    const job = await plane.claim(scanner);
    await act(plane, scanner, "disable");
    expect(errorCode(await heartbeat(plane, scanner, "192.0.2.1"))).toBe("SCANNER_DISABLED");
    expect(errorCode(await plane.call("GET", "/scanner/jobs", { key: scanner.key }))).toBe(
      "SCANNER_DISABLED",
    );
    expect((await view(plane, scanner)).lastAuthError).toMatchObject({ code: "SCANNER_DISABLED" });
    expect((await plane.jobCall(scanner, job, "start")).status).toBe(200);
    expect(
      (await plane.jobCall(scanner, job, "complete", { status: "completed", resultCount: 0 })).status,
    ).toBe(200);
    await act(plane, scanner, "enable");
    expect((await heartbeat(plane, scanner, "192.0.2.1")).status).toBe(200);
  });
});
