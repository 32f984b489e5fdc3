/** Networks, as the examples of Open Port Monitor's troubleshooting guide make and change them. */

import { expect, test } from "bun:test";
import { networkListSchema, networkViewSchema } from "#shared/protocol/networks.ts";
import { portListViewSchema } from "#shared/protocol/port-lists.ts";
import { scanTemplateViewSchema } from "#shared/protocol/scan-templates.ts";
import { subnetViewSchema } from "#shared/protocol/subnets.ts";
import { resolveTemplate } from "../../services/template-scope.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import { TestCatalogue } from "../../testing/catalogue.ts";
import { errorOf, TestControlPlane } from "../../testing/control-plane.ts";

const NETWORKS = "/api/networks";

describeOnBothDatabases("networks", (openTestStore) => {
  test('"Create network with custom timeouts" works as it is written', async () => {
    const plane = new TestControlPlane(await openTestStore());
    // curl -X POST https://backend/api/networks -H "Authorization: Bearer $TOKEN" -d '{…}'
    const body = { name: "Production", cidr: "10.0.0.0/16", scan_timeout: 7200, port_timeout: 2000 };
    const answer = await plane.call("POST", NETWORKS, { token: await plane.token("operator"), body });
    expect(answer.status).toBe(201);
    const network = networkViewSchema.parse(answer.body);
    expect(network).toMatchObject({
      ...body,
      port_spec: "1-1000",
      scanner_id: null,
      scanner_type: "masscan",
      scan_protocol: "tcp",
      rate: 0,
      is_ipv6: false,
    });
    expect(await plane.operate("GET", `${NETWORKS}/${network.id}`, networkViewSchema)).toEqual(network);
  });

  test('"Set the scanner type per network" works as it is written: masscan (default), nmap', async () => {
    const plane = new TestControlPlane(await openTestStore());
    const made = await plane.operate("POST", NETWORKS, networkViewSchema, {
      name: "Production",
      cidr: "10.0.0.0/16",
    });
    expect(made.scanner_type).toBe("masscan");
    const one = `${NETWORKS}/${made.id}`;
    const changed = await plane.operate("PATCH", one, networkViewSchema, { scanner_type: "nmap" });
    expect(changed).toEqual({ ...made, scanner_type: "nmap", updated_at: changed.updated_at });
    const token = await plane.token("operator");
    const other = await plane.call("PATCH", one, { token, body: { scanner_type: "zmap" } });
    expect([other.status, errorOf(other).code]).toEqual([400, "INVALID_REQUEST"]);
  });

  test("timeouts have their defaults: scan_timeout 3600 (1 hour), port_timeout 1500 (ms)", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const made = await plane.operate("POST", NETWORKS, networkViewSchema, { name: "n", cidr: "10.0.0.0/24" });
    expect(made).toMatchObject({ scan_timeout: 3600, port_timeout: 1500 });
  });

  test("are a view on a subnet, a port list and a template: a change of one shows in the other", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const { id: scanner } = await plane.provision("s1");
    const made = await plane.operate("POST", NETWORKS, networkViewSchema, {
      name: "lab",
      cidr: "10.0.0.0/30",
      port_spec: "22,80-81,!81",
      scanner_id: scanner,
      rate: 500,
      scan_timeout: 60,
    });
    const { subnet_id, port_list_id, template_id } = made;
    const subnetPath = `/api/config/subnets/${subnet_id}`;
    expect(await plane.operate("GET", subnetPath, subnetViewSchema)).toMatchObject({
      name: "lab",
      cidr: "10.0.0.0/30",
      rateLimit: 500,
      scannerIds: [scanner],
    });
    const portList = await plane.operate("GET", `/api/config/port-lists/${port_list_id}`, portListViewSchema);
    expect(portList).toMatchObject({ spec: "22,80-81,!81", canonical: "22,80" });
    const template = await plane.operate(
      "GET",
      `/api/config/scan-templates/${template_id}`,
      scanTemplateViewSchema,
    );
    expect(template).toMatchObject({
      engine: "syn",
      protocol: "tcp",
      scanTimeoutSeconds: 60,
      subnetIds: [subnet_id],
      portListIds: [port_list_id],
      hosts: 4,
      ports: 2,
      probes: 8,
    });
    await plane.operate("PATCH", subnetPath, subnetViewSchema, { cidr: "10.0.1.0/30" });
    const one = `${NETWORKS}/${made.id}`;
    expect(await plane.operate("GET", one, networkViewSchema)).toMatchObject({ cidr: "10.0.1.0/30" });

    await plane.operate("PATCH", one, networkViewSchema, {
      scan_protocol: "both",
      rate: 7,
      scanner_id: null,
    });
    const resolved = store.run((session) => resolveTemplate(session, template_id));
    await expect(resolved).rejects.toThrow("no scanner is assigned to subnet 'lab'");
    await plane.operate("PATCH", one, networkViewSchema, { scanner_id: scanner });
    const { parts } = await store.run((session) => resolveTemplate(session, template_id));
    expect(parts).toMatchObject([
      {
        subnetRatePps: 7,
        scannerIds: [scanner],
        ports: { tcp: [{ first: 22 }, { first: 80 }], udp: [{ first: 22 }, { first: 80 }] },
      },
    ]);
    expect(await plane.operate("GET", one, networkViewSchema)).toMatchObject({
      port_spec: "22,80-81,!81",
      scan_protocol: "both",
    });
  });

  test("are listed, replaced, and removed with all they are made of", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const first = await plane.operate("POST", NETWORKS, networkViewSchema, {
      name: "a",
      cidr: "10.0.0.0/24",
    });
    const second = await plane.operate("POST", NETWORKS, networkViewSchema, {
      name: "b",
      cidr: "2001:db8::/120",
      scan_timeout: 9,
    });
    expect(second.is_ipv6).toBe(true);
    const page = await plane.operate("GET", `${NETWORKS}?limit=1`, networkListSchema);
    expect(page).toEqual({ networks: [first], next_cursor: first.id });
    const found = await plane.operate("GET", `${NETWORKS}?q=B`, networkListSchema);
    expect(found).toEqual({ networks: [second], next_cursor: null });
    const replaced = await plane.operate("PUT", `${NETWORKS}/${second.id}`, networkViewSchema, {
      name: "c",
      cidr: "10.9.0.0/24",
    });
    expect(replaced).toMatchObject({ name: "c", scan_timeout: 3600, is_ipv6: false });

    const token = await plane.token("operator");
    const template = `/api/config/scan-templates/${second.template_id}`;
    expect(errorOf(await plane.call("DELETE", template, { token }))).toMatchObject({
      code: "IN_USE",
      details: { usedBy: [{ kind: "network", id: second.id, name: "c" }] },
    });
    expect((await plane.call("DELETE", `${NETWORKS}/${second.id}`, { token })).status).toBe(204);
    for (const path of [
      `${NETWORKS}/${second.id}`,
      template,
      `/api/config/subnets/${second.subnet_id}`,
      `/api/config/port-lists/${second.port_list_id}`,
    ]) {
      expect([path, (await plane.call("GET", path, { token })).status]).toEqual([path, 404]);
    }
  });

  test("whose subnet another template needs are not removed, and lose nothing", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const network = await plane.operate("POST", NETWORKS, networkViewSchema, {
      name: "a",
      cidr: "10.0.0.0/24",
    });
    const catalogue = new TestCatalogue(plane);
    const ports = await catalogue.portList("22");
    await catalogue.template({ name: "other", subnetIds: [network.subnet_id], portListIds: [ports.id] });
    const token = await plane.token("operator");
    const answer = await plane.call("DELETE", `${NETWORKS}/${network.id}`, { token });
    expect(errorOf(answer)).toMatchObject({ code: "IN_USE", details: { usedBy: [{ name: "other" }] } });
    expect(await plane.operate("GET", `${NETWORKS}/${network.id}`, networkViewSchema)).toEqual(network);
  });
});

describeOnSqlite("a network is refused", (openTestStore) => {
  test.each([
    [
      "port exclusions (!22) with nmap: Not supported",
      { port_spec: "1-100,!22", scanner_type: "nmap" },
      "INVALID_PORT",
      "port_spec",
      "!22",
    ],
    ["a protocol in the ports", { port_spec: "22,U:53" }, "INVALID_PORT", "port_spec", "U:53"],
    ["a protocol after a port", { port_spec: "22,53/udp" }, "INVALID_PORT", "port_spec", "53/udp"],
    ["a port that is none", { port_spec: "22,70000" }, "INVALID_PORT", "port_spec", "70000"],
    [
      "a name that has no UDP port",
      { port_spec: "smtps", scan_protocol: "udp" },
      "INVALID_PORT",
      "port_spec",
      "smtps",
    ],
    [
      "more ports than a list may have",
      { port_spec: "1-65535", scan_protocol: "both" },
      "LIMIT_REACHED",
      "port_spec",
      undefined,
    ],
    ["a scanner that is not there", { scanner_id: 99 }, "INVALID_REQUEST", "scanner_id", "99"],
    ["a network that is none", { cidr: "10.0.0.0/40" }, "INVALID_TARGET", "cidr", "10.0.0.0/40"],
    ["a name that a subnet has", { name: "taken" }, "CONFLICT", "name", "taken"],
  ])("for %s", async (_, fields, code, field, token) => {
    const plane = new TestControlPlane(await openTestStore());
    await new TestCatalogue(plane).subnet("10.0.0.0/24", { name: "taken" });
    const answer = await plane.call("POST", NETWORKS, {
      token: await plane.token("operator"),
      body: { name: "n", cidr: "10.0.0.0/24", ...fields },
    });
    expect(errorOf(answer)).toMatchObject({
      code,
      details: { field, ...(token === undefined ? {} : { token }) },
    });
    expect(await plane.operate("GET", NETWORKS, networkListSchema)).toEqual({
      networks: [],
      next_cursor: null,
    });
  });

  test("nmap for a network that leaves ports out, until it no longer does", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const made = await plane.operate("POST", NETWORKS, networkViewSchema, {
      name: "n",
      cidr: "10.0.0.0/24",
      port_spec: "1-100,!22",
    });
    const one = `${NETWORKS}/${made.id}`;
    const token = await plane.token("operator");
    const refused = await plane.call("PATCH", one, { token, body: { scanner_type: "nmap" } });
    expect(errorOf(refused)).toMatchObject({ code: "INVALID_PORT", details: { token: "!22" } });
    expect(await plane.operate("GET", one, networkViewSchema)).toEqual(made);
    const body = { scanner_type: "nmap", port_spec: "1-21,23-100" };
    expect(await plane.operate("PATCH", one, networkViewSchema, body)).toMatchObject(body);
  });
});
