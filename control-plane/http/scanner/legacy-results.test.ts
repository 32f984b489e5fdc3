import { expect, test } from "bun:test";
import { resultListSchema, scannerViewSchema } from "#shared/protocol/operator.ts";
import { describeOnSqlite } from "../../store/testing/stores.ts";
import { errorCode, TestControlPlane } from "../../testing/control-plane.ts";

const found = {
  address: "10.0.0.1",
  port: 22,
  protocol: "tcp",
  state: "open",
  reason: "syn-ack",
  observedAt: "2026-01-27T10:00:00.000Z",
};

describeOnSqlite("results by scan", (openTestStore) => {
  test("are merged, and end the job when they say so; repeats change nothing", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const scan = await plane.startScan([scanner]);
    await plane.claim(scanner);
    const send = (body: object) => plane.call("POST", "/scanner/results", { key: scanner.key, body });
    const part = { scanId: scan.id, results: [found] };
    for (let i = 0; i < 2; i++) expect((await send(part)).body).toEqual({ ok: true });
    expect(await plane.getScan(scan.id)).toMatchObject({ status: "running", resultCount: 1 });
    const last = { scanId: scan.id, results: [{ ...found, port: 80 }], complete: true };
    for (let i = 0; i < 2; i++) expect((await send(last)).body).toEqual({ ok: true });
    expect(await plane.getScan(scan.id)).toMatchObject({
      status: "completed",
      resultCount: 2,
      coverage: 0,
      errorMessage: null,
      jobs: [{ status: "completed", errorMessage: expect.stringContaining("does not count probes") }],
    });
    expect(errorCode(await send(part))).toBe("JOB_ENDED");
  });

  test("of a scan that was cut into jobs go to the job they are of; all that were claimed end together", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1", { rateLimit: 1 });
    const scan = await plane.startScan([scanner], { targets: ["10.0.0.0/23"], ports: "22" });
    await plane.operate("PUT", `/api/config/scanners/${scanner.id}`, scannerViewSchema, { rateLimit: 0 });
    expect(scan.jobs.length).toBeGreaterThan(2);
    const send = (body: object) => plane.call("POST", "/scanner/results", { key: scanner.key, body });
    const addresses = ["10.0.0.1", "10.0.1.254", "10.0.0.200"];
    const all = addresses.map((address) => Object.assign({}, found, { address }));
    expect(await plane.poll(scanner, 8)).toHaveLength(scan.jobs.length);
    expect((await send({ scanId: scan.id, results: all, complete: true })).body).toEqual({ ok: true });
    expect(await plane.getScan(scan.id)).toMatchObject({ status: "completed", resultCount: 3 });
  });

  test("are refused without a job in the scan, before its claim, and for other targets", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const [scanner, other] = [await plane.addScanner("s1"), await plane.addScanner("other")];
    const scan = await plane.startScan([scanner]);
    const send = (key: string, body: object) => plane.call("POST", "/scanner/results", { key, body });
    const part = { scanId: scan.id, results: [found] };
    expect(errorCode(await send(other.key, part))).toBe("NOT_FOUND");
    expect(errorCode(await send(scanner.key, part))).toBe("JOB_NOT_YOURS");
    await plane.claim(scanner);
    const outside = { scanId: scan.id, results: [found, { ...found, address: "10.0.9.9" }] };
    expect(errorCode(await send(scanner.key, outside))).toBe("INVALID_REQUEST");
    const { results } = await plane.operate("GET", `/api/scans/${scan.id}/results`, resultListSchema);
    expect(results).toEqual([]);
  });
});
