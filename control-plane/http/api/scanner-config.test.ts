import { expect, test } from "bun:test";
import { bindingViewSchema } from "#shared/protocol/administration.ts";
import {
  scannerCreateResponseSchema,
  scannerListSchema,
  scannerViewSchema,
} from "#shared/protocol/operator.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import { errorCode, errorOf, TestControlPlane } from "../../testing/control-plane.ts";

const PATH = "/api/config/scanners";

describeOnBothDatabases("configuring scanners", (openTestStore) => {
  test("adds one, pending, with the line to run on its host", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const body = { name: "edge-1", description: "in the cellar", rateLimit: 5_000, bindingMode: "ip" };
    const { scanner, provisioning } = await plane.operate("POST", PATH, scannerCreateResponseSchema, body);
    expect(scanner).toMatchObject({
      name: "edge-1",
      description: "in the cellar",
      status: "pending",
      rateLimit: 5_000,
      binding: { mode: "ip", value: null, mismatchCount: 0 },
      capabilities: [],
      metrics: null,
      activeJobs: 0,
      createdBy: "operator:test-admin",
    });
    expect(provisioning.token).toMatch(/^ptl_prov_.{43}$/);
    expect(provisioning.installCommand).toBe(
      `curl -fsSL -H 'Authorization: Bearer ${provisioning.token}' 'http://localhost/scanner/install' | sudo sh`,
    );
    expect(await plane.operate("GET", PATH, scannerListSchema)).toEqual({ scanners: [scanner] });
    expect(await plane.operate("GET", `${PATH}/${scanner.id}`, scannerViewSchema)).toEqual(scanner);
  });

  test("takes each name once, also from requests at the same time; deleting frees it", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const token = await plane.token("operator");
    const add = () => plane.call("POST", PATH, { token, body: { name: "edge" } });
    const answers = await Promise.all([add(), add(), add()]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409]);
    const created = answers.find(({ status }) => status === 201);
    const { scanner } = scannerCreateResponseSchema.parse(created?.body);
    expect((await plane.call("DELETE", `${PATH}/${scanner.id}`, { token })).status).toBe(204);
    expect((await plane.call("GET", `${PATH}/${scanner.id}`, { token })).status).toBe(404);
    expect((await add()).status).toBe(201);
  });

  test("deleting a scanner fails its jobs and ends their scans, and keeps the results", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const [scanner, other] = [await plane.addScanner("s1"), await plane.addScanner("s2")];
    const scan = await plane.startScan([scanner]);
    const shared = await plane.startScan([scanner, other]);
    await plane.call("DELETE", `${PATH}/${scanner.id}`, { token: await plane.token("operator") });
    expect(await plane.getScan(scan.id)).toMatchObject({
      status: "failed",
      errorMessage: "s1: the scanner was deleted",
    });
    expect(await plane.getScan(shared.id)).toMatchObject({
      status: "planned",
      jobs: [{ status: "failed" }, { status: "pending" }],
    });
  });
});

describeOnSqlite("changing a scanner", (openTestStore) => {
  test("changes what is given and keeps the rest", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { id } = await plane.provision("s1", { description: "first", rateLimit: 10 });
    await plane.provision("taken");
    const changed = await plane.operate("PUT", `${PATH}/${id}`, scannerViewSchema, {
      rateLimit: 20,
      name: "renamed",
    });
    expect(changed).toMatchObject({ name: "renamed", description: "first", rateLimit: 20 });
    const token = await plane.token("operator");
    expect(errorCode(await plane.call("PUT", `${PATH}/${id}`, { token, body: { name: "taken" } }))).toBe(
      "CONFLICT",
    );
    expect(errorCode(await plane.call("PUT", `${PATH}/999`, { token, body: {} }))).toBe("NOT_FOUND");
  });

  test("changes and shows the binding", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { id } = await plane.provision("s1");
    const body = { bindingMode: "subnet", bindingValue: "192.0.2.77" };
    await plane.operate("PATCH", `${PATH}/${id}`, scannerViewSchema, body);
    expect(await plane.operate("GET", `${PATH}/${id}/binding`, bindingViewSchema)).toEqual({
      scannerId: id,
      mode: "subnet",
      value: "192.0.2.0/24",
      mismatchCount: 0,
      lastAddress: null,
    });
  });

  test.each([
    [{ name: "" }, "name"],
    [{ name: "under_score" }, "name: must be letters, digits and hyphens"],
    [{ name: "a", rateLimit: 100_001 }, "rateLimit"],
    [{ name: "a", bindingMode: "asn" }, "no ASN database is configured"],
    [{ name: "a", bindingMode: "ip", bindingValue: "x" }, "is no IP address"],
    [{ name: "a", rate: 5 }, "rate"],
  ])("refuses %j, saying what is wrong", async (body, why) => {
    const plane = new TestControlPlane(await openTestStore());
    const answer = await plane.call("POST", PATH, { token: await plane.token("operator"), body });
    expect([answer.status, errorCode(answer)]).toEqual([400, "INVALID_REQUEST"]);
    expect(errorOf(answer).message).toContain(why);
  });
});
