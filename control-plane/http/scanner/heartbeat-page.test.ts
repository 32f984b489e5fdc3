/** Every row of mipo's page "Scanner Heartbeat", each by its own words: fields, how-tos, gotchas, API calls. */

import { beforeEach, expect, test } from "bun:test";
import { sql } from "kysely";
import { HEARTBEAT_INTERVAL_MS, MAX_CAPABILITIES, OFFLINE_AFTER_MS } from "#shared/protocol/limits.ts";
import {
  resultListSchema,
  scannerCreateResponseSchema,
  type ScannerView,
  scannerViewSchema,
} from "#shared/protocol/operator.ts";
import { describeOnBothDatabases } from "../../store/testing/stores.ts";
import {
  type Answer,
  errorCode,
  errorOf,
  TestControlPlane,
  type TestScanner,
} from "../../testing/control-plane.ts";

const METRICS = {
  loadAvg1m: 0.5,
  loadAvg5m: 0.25,
  loadAvg15m: 0.125,
  memoryTotalBytes: 8 * 2 ** 30,
  memoryAvailableBytes: 2 ** 30,
  networkRxBytes: 2 ** 45,
  networkTxBytes: 2 ** 44,
  numCpus: 4,
};

describeOnBothDatabases("mipo's page 'Scanner Heartbeat'", (openTestStore) => {
  let plane: TestControlPlane;
  let scanner: TestScanner;
  beforeEach(async () => {
    plane = new TestControlPlane(await openTestStore());
    scanner = await plane.addScanner("s1");
  });

  const heartbeat = (body: object = {}, from = "192.0.2.1", headers: Record<string, string> = {}) =>
    plane.call("POST", "/scanner/heartbeat", { key: scanner.key, from, body, headers });
  const view = (): Promise<ScannerView> =>
    plane.operate("GET", `/api/scanners/${scanner.id}`, scannerViewSchema);
  const act = (action: string): Promise<ScannerView> =>
    plane.operate("POST", `/api/config/scanners/${scanner.id}/${action}`, scannerViewSchema);
  const bind = (bindingValue: string): Promise<ScannerView> => {
    const body = { bindingMode: "ip", bindingValue };
    return plane.operate("PATCH", `/api/config/scanners/${scanner.id}`, scannerViewSchema, body);
  };
  const events = (name: string) => plane.logged.filter(({ event }) => event === name);
  const problemOf = (answer: Answer): string => {
    expect(answer.status).toBe(400);
    return errorOf(answer).message;
  };

  test("Every 60 seconds; two missed (2-minute timeout): marked offline, and a scanner-down event, once", async () => {
    expect([HEARTBEAT_INTERVAL_MS, OFFLINE_AFTER_MS]).toEqual([60_000, 120_000]);
    await heartbeat();
    plane.store.dialect.shiftClock(OFFLINE_AFTER_MS - 1_000);
    expect(await plane.services.scannerWatch.look()).toBe(0);
    plane.store.dialect.shiftClock(1_000);
    const looks = [plane.services.scannerWatch.look(), plane.services.scannerWatch.look()];
    expect((await Promise.all(looks)).toSorted()).toEqual([0, 1]);
    expect((await view()).status).toBe("offline");
    expect(events("scanner.down")).toMatchObject([
      { level: "WARNING", message: expect.stringContaining("s1 is offline") },
    ]);
  });

  // Fields & columns

  test("Field 'version': optional scanner binary version string, stored for inventory", async () => {
    expect((await view()).version).toBeNull();
    await heartbeat({ version: "1.2.3-rc.1" });
    await heartbeat({});
    expect((await view()).version).toBe("1.2.3-rc.1");
    expect(problemOf(await heartbeat({ version: "v".repeat(256) }))).toContain("version");
    expect(problemOf(await heartbeat({ version: 1 }))).toContain("version");
  });

  test("Field 'hostname': optional, stored for identification", async () => {
    await heartbeat({ hostname: "edge.example.org" });
    expect((await view()).hostname).toBe("edge.example.org");
    expect(problemOf(await heartbeat({ hostname: "h".repeat(256) }))).toContain("hostname");
  });

  test("Field 'internalIp': self-reported LAN IP, distinct from the external (connection) IP", async () => {
    await heartbeat({ internalIp: "10.0.0.5" }, "203.0.113.5");
    expect(await view()).toMatchObject({ internalIp: "10.0.0.5", externalIp: "203.0.113.5" });
  });

  test("Field 'capabilities': array of feature flags, maximum 50 entries", async () => {
    expect(MAX_CAPABILITIES).toBe(50);
    await heartbeat({ capabilities: ["ipv6", "udp"] });
    expect((await view()).capabilities).toEqual(["ipv6", "udp"]);
    const many = Array.from({ length: 51 }, (_, i) => `flag-${i}`);
    expect((await heartbeat({ capabilities: many.slice(1) })).status).toBe(200);
    expect(problemOf(await heartbeat({ capabilities: many }))).toContain("capabilities");
    expect((await view()).capabilities.length).toBe(50);
  });

  test("Field 'metrics': loadAvg1m/5m/15m, memory, network and numCpus, all optional, for health monitoring", async () => {
    await heartbeat({ metrics: METRICS });
    expect((await view()).metrics).toEqual(METRICS);
    await heartbeat({ metrics: { loadAvg1m: 2 } });
    expect((await view()).metrics).toEqual({ loadAvg1m: 2 });
    for (const wrong of [{ loadAvg1m: -1 }, { numCpus: 0 }, { memoryTotalBytes: "8" }]) {
      expect(problemOf(await heartbeat({ metrics: wrong }))).toContain(`metrics.${Object.keys(wrong)[0]}`);
    }
  });

  // How to

  test("How to 'Diagnose a scanner offline alarm': last heartbeat, recorded authentication error, 401 and 403", async () => {
    await heartbeat();
    const { lastHeartbeatAt, lastAuthError } = await view();
    expect([lastHeartbeatAt, lastAuthError]).toEqual([expect.any(String), null]);

    await act("disable");
    const disabled = await heartbeat({}, "203.0.113.5");
    expect([disabled.status, errorCode(disabled)]).toEqual([403, "SCANNER_DISABLED"]);
    expect((await view()).lastAuthError).toMatchObject({ code: "SCANNER_DISABLED", address: "203.0.113.5" });
    await act("enable");
    await bind("192.0.2.1");
    expect((await heartbeat({}, "203.0.113.5")).status).toBe(403);
    expect((await view()).lastAuthError).toMatchObject({ code: "IP_BINDING_VIOLATION" });
    const path = `/api/config/scanners/${scanner.id}/regenerate-token`;
    await plane.operate("POST", path, scannerCreateResponseSchema);
    const replaced = await heartbeat();
    expect([replaced.status, errorOf(replaced)]).toMatchObject([
      401,
      { code: "INVALID_API_KEY", message: expect.stringContaining("was replaced") },
    ]);
    expect((await view()).lastAuthError).toMatchObject({ code: "INVALID_API_KEY" });
    expect((await view()).lastHeartbeatAt).toBe(lastHeartbeatAt);
  });

  test("How to 'Understand IP binding enforcement': 403 IP_BINDING_VIOLATION, the counter increments, release re-binds", async () => {
    await bind("192.0.2.1");
    for (const count of [1, 2]) {
      const refused = await heartbeat({}, "203.0.113.5");
      expect([refused.status, errorCode(refused)]).toEqual([403, "IP_BINDING_VIOLATION"]);
      expect((await view()).binding.mismatchCount).toBe(count);
    }
    await act("release-binding");
    expect((await heartbeat({}, "203.0.113.5")).status).toBe(200);
    expect((await view()).binding).toEqual({ mode: "ip", value: "203.0.113.5", mismatchCount: 0 });
  });

  // Gotchas

  test("Gotcha: IP binding is always enforced on heartbeats, also with active jobs, unlike job fetches", async () => {
    await bind("192.0.2.1");
    await plane.startScan([scanner]);
    await plane.claim(scanner);
    const elsewhere = { key: scanner.key, from: "203.0.113.5" };
    expect((await plane.call("GET", "/scanner/jobs", elsewhere)).status).toBe(200);
    expect(errorCode(await heartbeat({}, "203.0.113.5"))).toBe("IP_BINDING_VIOLATION");
  });

  test("Gotcha: a stolen API key does not bypass binding via X-Forwarded-For spoofing", async () => {
    await bind("192.0.2.1");
    for (const forged of ["192.0.2.1", "192.0.2.1, 203.0.113.5", "203.0.113.5, 192.0.2.1"]) {
      const answer = await heartbeat({}, "203.0.113.5", { "X-Forwarded-For": forged });
      expect(errorCode(answer)).toBe("IP_BINDING_VIOLATION");
    }
  });

  test("Gotcha: a successful heartbeat clears the last authentication error on the scanner record", async () => {
    await bind("192.0.2.1");
    await heartbeat({}, "203.0.113.5");
    expect((await view()).lastAuthError).not.toBeNull();
    await heartbeat({}, "192.0.2.1");
    expect((await view()).lastAuthError).toBeNull();
  });

  test("Gotcha: when a scanner that was marked offline sends a heartbeat, a scanner_up event is emitted, once", async () => {
    await heartbeat();
    expect(events("scanner.up")).toEqual([]);
    plane.store.dialect.shiftClock(OFFLINE_AFTER_MS);
    await plane.services.scannerWatch.look();
    for (let i = 0; i < 2; i++) expect((await heartbeat()).status).toBe(200);
    expect((await view()).status).toBe("active");
    expect(events("scanner.up")).toMatchObject([{ level: "INFO", message: expect.stringContaining("s1") }]);
    plane.store.dialect.shiftClock(OFFLINE_AFTER_MS);
    expect(await plane.services.scannerWatch.look()).toBe(1);
  });

  test("Gotcha: disabled, deleted and pending scanners raise no scanner-down event", async () => {
    await plane.provision("pending");
    const [disabled, deleted] = [await plane.addScanner("disabled"), await plane.addScanner("deleted")];
    await plane.operate("POST", `/api/config/scanners/${disabled.id}/disable`, scannerViewSchema);
    const token = await plane.token("operator");
    await plane.call("DELETE", `/api/config/scanners/${deleted.id}`, { token });
    plane.store.dialect.shiftClock(OFFLINE_AFTER_MS);
    await heartbeat();
    expect(await plane.services.scannerWatch.look()).toBe(0);
  });

  test("Gotcha: if metrics storage fails, the heartbeat still succeeds", async () => {
    await plane.store.run(({ db }) =>
      sql`alter table scanner_stats rename to scanner_stats_gone`.execute(db),
    );
    const answer = await heartbeat({ version: "1.2.3", metrics: METRICS });
    expect(answer.body).toEqual({ ok: true, serverTime: expect.any(String) });
    expect(await view()).toMatchObject({ status: "active", version: "1.2.3" });
    expect(events("metrics.lost")).toMatchObject([{ level: "WARNING" }]);
  });

  test("Gotcha: the legacy POST /scanner/results co-exists with the job-based path", async () => {
    const scan = await plane.startScan([scanner]);
    const job = await plane.claim(scanner);
    const found = (port: number) => ({
      address: "10.0.0.1",
      port,
      protocol: "tcp",
      state: "open",
      reason: "syn-ack",
      observedAt: "2026-01-27T10:00:00.000Z",
    });
    const body = { scanId: scan.id, results: [found(22)] };
    const legacy = await plane.call("POST", "/scanner/results", { key: scanner.key, body });
    expect([legacy.status, legacy.body]).toEqual([200, { ok: true }]);
    const batch = { batch: 1, results: [found(80)] };
    expect((await plane.jobCall(scanner, job, "results", batch)).status).toBe(200);
    const { results } = await plane.operate("GET", `/api/scans/${scan.id}/results`, resultListSchema);
    expect(results.map(({ port }) => port).toSorted((a, b) => a - b)).toEqual([22, 80]);
  });

  // API calls

  test("API call 'POST /scanner/heartbeat': uses X-API-Key, returns { ok: true, serverTime: string }", async () => {
    const full = { version: "1", hostname: "h", internalIp: "10.0.0.5", capabilities: [], metrics: METRICS };
    for (const body of [{}, full]) {
      const answer = await heartbeat(body);
      expect([answer.status, answer.body]).toEqual([
        200,
        { ok: true, serverTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) },
      ]);
    }
    const without = await plane.call("POST", "/scanner/heartbeat", { body: {} });
    expect([without.status, errorCode(without)]).toEqual([401, "INVALID_API_KEY"]);
  });

  test("API call 'POST /scanner/results': keyed by scan ID, body { scanId, results, complete? }, returns { ok: true }", async () => {
    const scan = await plane.startScan([scanner]);
    await plane.claim(scanner);
    const send = (body: object, key?: string) =>
      plane.call("POST", "/scanner/results", key === undefined ? { body } : { body, key });
    const last = { scanId: scan.id, results: [], complete: true };
    expect((await send(last)).status).toBe(401);
    expect((await send(last, scanner.key)).body).toEqual({ ok: true });
    expect((await plane.getScan(scan.id)).status).toBe("completed");
    expect(errorCode(await send({ scanId: 999, results: [] }, scanner.key))).toBe("NOT_FOUND");
    expect(problemOf(await send({ results: [] }, scanner.key))).toContain("scanId");
  });
});
