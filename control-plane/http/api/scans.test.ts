import { expect, test } from "bun:test";
import type { z } from "zod";
import { scanProgressSchema } from "#shared/protocol/administration.ts";
import { resultListSchema, scanListSchema, scannerViewSchema } from "#shared/protocol/operator.ts";
import { describeOnSqlite } from "../../store/testing/stores.ts";
import { errorCode, errorOf, TestControlPlane } from "../../testing/control-plane.ts";

function found(address: string, port: number, state = "open"): object {
  return { address, port, protocol: "tcp", state, reason: "any", observedAt: "2026-01-27T10:00:00.000Z" };
}

describeOnSqlite("starting a scan", (openTestStore) => {
  test.each([
    [{ targets: ["10.0.0.0/33"] }, "INVALID_TARGET", "10.0.0.0/33"],
    [{ targets: ["10.0.0.1, nonsense"] }, "INVALID_TARGET", "nonsense"],
    [{ targets: ["10.0.0.1"], exclude: ["10.0.0.0/8"] }, "INVALID_TARGET", "no address that may be probed"],
    [{ targets: ["2001:db8::/64"] }, "SCOPE_TOO_LARGE", "'2001:db8::/64'"],
    [{ targets: ["2001:db8::/80"], ports: "1-2" }, "SCOPE_TOO_LARGE", "more than 2^48 probes"],
    [{ targets: ["fe80::1"] }, "INVALID_TARGET", "link-local"],
    [{ targets: ["example.org"] }, "INVALID_TARGET", "example.org"],
    [{ targets: ["224.0.0.1", "ff02::1"] }, "INVALID_TARGET", "no address that may be probed"],
    [{ ports: "22,abc" }, "INVALID_PORT", "'abc'"],
    [{ ports: "22,!22" }, "INVALID_PORT", "no port is left"],
    [{ ports: "22,U:53", engine: "connect" }, "INVALID_PORT", "U:53"],
    [{ ports: "22", reportStates: ["ajar"] }, "INVALID_REQUEST", "reportStates"],
    [{ speed: 5 }, "INVALID_REQUEST", "speed"],
  ])("refuses %j, naming what is wrong", async (request, code, why) => {
    const plane = new TestControlPlane(await openTestStore());
    const { id } = await plane.provision("s1");
    const body = { scannerIds: [id], targets: ["10.0.0.1"], ports: "80", ...request };
    const answer = await plane.call("POST", "/api/scans", { token: await plane.token("operator"), body });
    expect([answer.status, errorCode(answer)]).toEqual([400, code]);
    expect(errorOf(answer).message).toContain(why);
  });

  test("refuses scanners that are unknown or disabled, naming them", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { id } = await plane.provision("asleep");
    await plane.operate("POST", `/api/config/scanners/${id}/disable`, scannerViewSchema);
    const token = await plane.token("operator");
    const start = (scannerIds: number[]) =>
      plane.call("POST", "/api/scans", { token, body: { scannerIds, targets: ["10.0.0.1"], ports: "80" } });
    expect(errorOf(await start([id, 77]))).toMatchObject({ code: "NOT_FOUND", message: "no scanner 77" });
    expect(errorOf(await start([id]))).toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("'asleep'"),
    });
  });

  test("makes one job for each scanner, named once or twice", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanners = [await plane.addScanner("s1"), await plane.addScanner("s2")];
    const [first] = scanners;
    const scan = await plane.startScan([...scanners, ...(first === undefined ? [] : [first])], {
      name: "weekly",
    });
    expect(scan).toMatchObject({ name: "weekly", probes: 2 * 16 * 81, createdBy: "operator:test-admin" });
    expect(scan.jobs.map(({ scannerName, status }) => [scannerName, status])).toEqual([
      ["s1", "pending"],
      ["s2", "pending"],
    ]);
  });
});

describeOnSqlite("following scans", (openTestStore) => {
  test("lists them newest first, in pages", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    for (let i = 0; i < 5; i++) await plane.startScan([scanner]);
    const pages = [];
    let cursor: number | null | undefined;
    while (cursor !== null) {
      const query: string = cursor === undefined ? "" : `&cursor=${cursor}`;
      const page: z.infer<typeof scanListSchema> = await plane.operate(
        "GET",
        `/api/scans?limit=2${query}`,
        scanListSchema,
      );
      pages.push(page.scans.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(pages).toEqual([[5, 4], [3, 2], [1]]);
    expect(
      (await plane.call("GET", "/api/scans?limit=0", { token: await plane.token("viewer") })).status,
    ).toBe(400);
  });

  test("gives results in pages and by filter, and the progress", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const scan = await plane.startScan([scanner]);
    const job = await plane.claim(scanner);
    const results = [
      found("10.0.0.1", 22),
      found("10.0.0.1", 80, "closed"),
      found("10.0.0.2", 22, "filtered"),
    ];
    await plane.jobCall(scanner, job, "results", { batch: 1, results });
    await plane.jobCall(scanner, job, "progress", { progressCount: 648, resultCount: 3, coverage: 0.5 });
    const path = `/api/scans/${scan.id}`;
    const get = async (query: string) => plane.operate("GET", `${path}/results?${query}`, resultListSchema);
    const first = await get("limit=2");
    expect(first.results.map(({ port }) => port)).toEqual([22, 80]);
    const rest = await get(`limit=2&cursor=${first.nextCursor}`);
    expect([rest.results.length, rest.nextCursor]).toEqual([1, null]);
    const counts = [];
    for (const filter of [
      "state=open",
      "port=22",
      "address=10.0.0.2",
      "protocol=udp",
      "scannerId=1",
      "scannerId=2",
    ]) {
      counts.push((await get(filter)).results.length);
    }
    expect(counts).toEqual([1, 2, 1, 0, 3, 0]);
    expect(await plane.operate("GET", `${path}/progress`, scanProgressSchema)).toMatchObject({
      probes: 1_296,
      progressCount: 648,
      coverage: 0.5,
      resultCount: 3,
      jobs: [{ progressCount: 648 }],
    });
  });

  test("of which there is none answers 404 everywhere", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const token = await plane.token("operator");
    for (const what of ["", "/results", "/progress", "/logs"]) {
      expect((await plane.call("GET", `/api/scans/9${what}`, { token })).status).toBe(404);
    }
    expect((await plane.call("POST", "/api/scans/9/cancel", { token })).status).toBe(404);
  });

  test("cancelling twice, or after the end, changes nothing more", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const scan = await plane.startScan([scanner]);
    const token = await plane.token("operator");
    const first = await plane.call("POST", `/api/scans/${scan.id}/cancel`, { token });
    const second = await plane.call("POST", `/api/scans/${scan.id}/cancel`, { token });
    expect(first.body).toMatchObject({ status: "cancelled", jobs: [{ status: "cancelled" }] });
    expect(second.body).toEqual(first.body);
  });
});
