/** Expected results of templates, one by one and from CSV. */

import { expect, test } from "bun:test";
import {
  expectedCountSchema,
  expectedResultListSchema,
  expectedResultViewSchema,
  scanTemplateViewSchema,
} from "#shared/protocol/scan-templates.ts";
import { resolveTemplate } from "../../services/template-scope.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import type { Store } from "../../store/store.ts";
import { TestCatalogue } from "../../testing/catalogue.ts";
import { errorCode, errorOf, TestControlPlane } from "../../testing/control-plane.ts";

const TEMPLATE = "/api/config/scan-templates/1";
const EXPECTED = `${TEMPLATE}/expected`;

async function planeWithTemplate(store: Store): Promise<TestControlPlane> {
  const plane = new TestControlPlane(store);
  const catalogue = new TestCatalogue(plane);
  const { id: scanner } = await plane.provision("s1");
  const subnet = await catalogue.subnet("10.0.0.0/30", { scannerIds: [scanner] });
  const ports = await catalogue.portList("22");
  await catalogue.template({ subnetIds: [subnet.id], portListIds: [ports.id] });
  return plane;
}

async function importCsv(plane: TestControlPlane, csv: string, query = "", type = "text/csv") {
  const response = await plane.app.request(
    `${EXPECTED}/import${query}`,
    {
      method: "POST",
      headers: { Authorization: `Bearer ${await plane.token("operator")}`, "Content-Type": type },
      body: csv,
    },
    { peerAddress: "192.0.2.1" },
  );
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function listed(plane: TestControlPlane): Promise<string[]> {
  const { results } = await plane.operate("GET", `${EXPECTED}?limit=1000`, expectedResultListSchema);
  return results.map(({ address, protocol, port, state }) => `${address} ${port}/${protocol} ${state}`);
}

describeOnBothDatabases("expected results", (openTestStore) => {
  test("are added, changed, replaced and removed, and are part of what a template is", async () => {
    const store = await openTestStore();
    const plane = await planeWithTemplate(store);
    const added = await plane.operate("POST", EXPECTED, expectedCountSchema, {
      results: [
        { address: "10.0.0.1", port: 22 },
        { address: "2001:DB8::0:1", port: 53, protocol: "udp", state: "closed" },
      ],
    });
    expect(added).toEqual({ expectedResults: 2 });
    // The same endpoint again, however it is written, changes its state.
    await plane.operate("POST", EXPECTED, expectedCountSchema, {
      results: [
        { address: "2001:db8::1", port: 53, protocol: "udp", state: "open" },
        { address: "2001:db8::1", port: 53, protocol: "udp", state: "filtered" },
      ],
    });
    expect(await listed(plane)).toEqual(["10.0.0.1 22/tcp open", "2001:db8::1 53/udp filtered"]);
    const { expected } = await store.run((session) => resolveTemplate(session, 1));
    expect(expected).toEqual([
      { address: "10.0.0.1", protocol: "tcp", port: 22, state: "open" },
      { address: "2001:db8::1", protocol: "udp", port: 53, state: "filtered" },
    ]);
    const view = await plane.operate("GET", TEMPLATE, scanTemplateViewSchema);
    expect(view.expectedResults).toBe(2);

    const { results } = await plane.operate("GET", `${EXPECTED}?limit=1`, expectedResultListSchema);
    const [first] = results;
    const one = `${EXPECTED}/${first?.id}`;
    const changed = await plane.operate("PUT", one, expectedResultViewSchema, { state: "closed" });
    expect(changed).toMatchObject({ address: "10.0.0.1", state: "closed" });
    const token = await plane.token("operator");
    expect((await plane.call("DELETE", one, { token })).status).toBe(204);
    expect(errorCode(await plane.call("DELETE", one, { token }))).toBe("NOT_FOUND");
    expect(await listed(plane)).toEqual(["2001:db8::1 53/udp filtered"]);

    await plane.operate("PUT", EXPECTED, expectedCountSchema, {
      results: [{ address: "10.0.0.2", port: 80 }],
    });
    expect(await listed(plane)).toEqual(["10.0.0.2 80/tcp open"]);
    expect((await plane.call("DELETE", EXPECTED, { token })).status).toBe(204);
    expect(await listed(plane)).toEqual([]);
  });

  test("come from CSV as spreadsheets write it, added or in place of all others", async () => {
    const plane = await planeWithTemplate(await openTestStore());
    const csv =
      '\u{feff}Address,Protocol,Port,State\r\n10.0.0.1,tcp,22,open\r\n\r\n"10.0.0.2", UDP ,53,"Closed"\r\n';
    expect(await importCsv(plane, csv)).toMatchObject({ status: 200, body: { expectedResults: 2 } });
    await importCsv(plane, "10.0.0.1,tcp,22,filtered");
    expect(await listed(plane)).toEqual(["10.0.0.1 22/tcp filtered", "10.0.0.2 53/udp closed"]);
    await importCsv(plane, "10.0.0.3,tcp,443,open", "?mode=replace");
    expect(await listed(plane)).toEqual(["10.0.0.3 443/tcp open"]);
  });
});

describeOnSqlite("expected results are refused", (openTestStore) => {
  test.each([
    ["10.0.0.1,tcp,22,open\n10.0.0.2,tcp,22", "INVALID_REQUEST", "line 2", "10.0.0.2,tcp,22"],
    ["10.0.0.1,sctp,22,open", "INVALID_REQUEST", "line 1", "sctp"],
    ["10.0.0.1,tcp,0,open", "INVALID_REQUEST", "line 1", "0"],
    ["10.0.0.1,tcp,ssh,open", "INVALID_REQUEST", "line 1", "ssh"],
    ["10.0.0.1,tcp,22,ajar", "INVALID_REQUEST", "line 1", "ajar"],
    ["address,protocol,port,state\nhost,tcp,22,open", "INVALID_TARGET", "line 2", "host"],
    ["=cmd|'/c calc'!A0,tcp,22,open", "INVALID_TARGET", "line 1", "=cmd|'/c calc'!A0"],
  ])("as CSV with %j, naming line and word, and nothing of it is stored", async (csv, code, field, token) => {
    const plane = await planeWithTemplate(await openTestStore());
    const answer = await importCsv(plane, csv);
    expect(errorOf(answer)).toMatchObject({ code, details: { field, token } });
    expect(await listed(plane)).toEqual([]);
  });

  test("as anything but CSV, in an unknown mode, for a template that is not there, or too many", async () => {
    const plane = await planeWithTemplate(await openTestStore());
    const json = await importCsv(plane, "[]", "", "application/json");
    expect([json.status, errorOf(json).code]).toEqual([415, "UNSUPPORTED_MEDIA_TYPE"]);
    expect(errorOf(await importCsv(plane, "", "?mode=merge")).code).toBe("INVALID_REQUEST");
    const lines = Array.from({ length: 10_001 }, (_, i) => `10.0.${i >> 8}.${i & 255},tcp,22,open`);
    expect(errorOf(await importCsv(plane, lines.join("\n")))).toMatchObject({
      code: "INVALID_REQUEST",
      details: { field: "line 10001" },
    });
    const token = await plane.token("operator");
    const body = { results: [] };
    const nowhere = await plane.call("POST", "/api/config/scan-templates/9/expected", { token, body });
    expect(errorCode(nowhere)).toBe("NOT_FOUND");
  });

  test("beyond 50,000 for one template", async () => {
    const plane = await planeWithTemplate(await openTestStore());
    const batch = (part: number) =>
      Array.from({ length: 10_000 }, (_, i) => `10.${part}.${i >> 8}.${i & 255},tcp,22,open`).join("\n");
    for (let part = 0; part < 5; part++) {
      expect(await importCsv(plane, batch(part))).toMatchObject({ status: 200 });
    }
    expect(errorOf(await importCsv(plane, "10.9.0.0,tcp,22,open"))).toMatchObject({ code: "LIMIT_REACHED" });
    const view = await plane.operate("GET", TEMPLATE, scanTemplateViewSchema);
    expect(view.expectedResults).toBe(50_000);
  }, 20_000);
});
