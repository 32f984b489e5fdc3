import { expect, test } from "bun:test";
import { OFFLINE_AFTER_MS } from "#shared/protocol/limits.ts";
import { scannerStatusSchema, scannerViewSchema } from "#shared/protocol/operator.ts";
import {
  type ScannerPage,
  scannerFilterValuesSchema,
  scannerPageSchema,
} from "#shared/protocol/scanner-config.ts";
import { describeOnBothDatabases } from "../../store/testing/stores.ts";
import { errorCode, TestControlPlane } from "../../testing/control-plane.ts";

const PATH = "/api/config/scanners";

function list(plane: TestControlPlane, query = ""): Promise<ScannerPage> {
  return plane.operate("GET", `${PATH}${query}`, scannerPageSchema);
}

async function names(plane: TestControlPlane, query: string): Promise<string[]> {
  return (await list(plane, query)).scanners.map(({ name }) => name);
}

/** One scanner of each status. */
async function planeOfAllStatuses(plane: TestControlPlane): Promise<void> {
  await plane.provision("pending");
  const [offline, unapproved, disabled] = [
    await plane.addScanner("offline", { description: "50% of_the Cellar" }),
    await plane.addScanner("unapproved"),
    await plane.addScanner("disabled", { bindingMode: "ip", bindingValue: "192.0.2.77" }),
  ];
  plane.store.dialect.shiftClock(OFFLINE_AFTER_MS);
  await plane.addScanner("active");
  await plane.operate("POST", `${PATH}/${unapproved.id}/revoke`, scannerViewSchema);
  await plane.operate("POST", `${PATH}/${disabled.id}/disable`, scannerViewSchema);
  expect((await plane.operate("GET", `${PATH}/${offline.id}`, scannerViewSchema)).status).toBe("offline");
}

describeOnBothDatabases("the list of scanners", (openTestStore) => {
  test("without a question is whole, by name; with one it comes in pages", async () => {
    const plane = new TestControlPlane(await openTestStore());
    for (const name of ["c", "a", "b"]) await plane.provision(name);
    const whole = await list(plane);
    expect(whole.scanners.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(whole).not.toHaveProperty("nextCursor");
    const first = await list(plane, "?limit=2");
    expect(first.scanners.map(({ name }) => name)).toEqual(["c", "a"]);
    const second = await list(plane, `?limit=2&cursor=${first.nextCursor}`);
    expect(second).toMatchObject({ scanners: [{ name: "b" }], nextCursor: null });
  });

  test("by status finds the same as each scanner says of itself", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await planeOfAllStatuses(plane);
    for (const status of scannerStatusSchema.options) {
      expect(await names(plane, `?status=${status}`)).toEqual([status]);
    }
  });

  test("by words finds them in names, descriptions and addresses, and takes no wildcards", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await planeOfAllStatuses(plane);
    const find = (q: string) => names(plane, `?q=${encodeURIComponent(q)}`);
    expect(await find("APPROVED")).toEqual(["unapproved"]);
    expect(await find("the cellar")).toEqual(["offline"]);
    expect(await find("50%")).toEqual(["offline"]);
    expect(await find("of_the")).toEqual(["offline"]);
    expect(await find("%")).toEqual(["offline"]);
    expect(await find("a_t")).toEqual([]);
    expect(await find("\\")).toEqual([]);
    expect(await find("' or 1=1 --")).toEqual([]);
    expect(await find("198.51.100.")).toEqual(["offline", "unapproved", "disabled", "active"]);
  });

  test("by binding mode, creator and version; and tells what there is to filter by", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await planeOfAllStatuses(plane);
    const active = (await list(plane, "?status=active")).scanners[0];
    const scanner = await plane.addScanner("beating");
    await plane.call("POST", "/scanner/heartbeat", { key: scanner.key, body: { version: "1.2.3" } });
    expect(await names(plane, "?bindingMode=ip")).toEqual(["disabled"]);
    expect(await names(plane, "?version=1.2.3")).toEqual(["beating"]);
    expect(await names(plane, `?createdBy=${active?.createdBy}&status=active`)).toEqual([
      "active",
      "beating",
    ]);
    expect(await plane.operate("GET", `${PATH}/filter-values`, scannerFilterValuesSchema)).toEqual({
      names: ["active", "beating", "disabled", "offline", "pending", "unapproved"],
      statuses: ["pending", "active", "offline", "disabled", "unapproved"],
      bindingModes: ["none", "ip"],
      createdBy: ["operator:test-admin"],
      versions: ["1.2.3"],
    });
  });

  test("refuses questions that are none", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const token = await plane.token("viewer");
    for (const query of ["?status=lost", "?limit=0", "?limit=1001", "?cursor=x", "?q="]) {
      expect(errorCode(await plane.call("GET", `${PATH}${query}`, { token }))).toBe("INVALID_REQUEST");
    }
  });
});
