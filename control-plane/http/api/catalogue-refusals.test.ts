/** Bad input to the catalogue: the answer names the field and the word that is wrong, and nothing is stored. */

import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { sql } from "kysely";
import { z } from "zod";
import { MAX_ADDRESSES_PER_PUSH, MAX_SUBNETS } from "#shared/protocol/limits.ts";
import type { Store } from "../../store/store.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import { TestCatalogue } from "../../testing/catalogue.ts";
import { errorOf, TestControlPlane } from "../../testing/control-plane.ts";

const TABLES = [
  "subnets",
  "subnet_scanners",
  "subnet_groups",
  "port_lists",
  "scanner_groups",
  "scanner_group_members",
  "discovery_lists",
  "discovery_addresses",
  "scan_templates",
  "template_subnets",
  "template_port_lists",
  "expected_results",
  "networks",
  "audit",
];

/** Every row that a change of the catalogue could touch. */
async function contents(store: Store): Promise<string> {
  return store.run(async ({ db }) => {
    const tables = [];
    for (const table of TABLES) {
      const { rows } = await sql`select * from ${sql.table(table)} order by 1, 2`.execute(db);
      tables.push(rows);
    }
    return JSON.stringify(tables);
  });
}

const SUBNETS = "/api/config/subnets";
const PORT_LISTS = "/api/config/port-lists";
const GROUPS = "/api/config/scanner-groups";
const LISTS = "/api/config/discovery-lists";
const TEMPLATES = "/api/config/scan-templates";

/** Method, path, body; status, code, field, and the token where the field has a syntax. */
type Refusal = readonly [
  method: string,
  path: string,
  body: unknown,
  status: number,
  code: string,
  field: string,
  token?: string,
];

const net = (more: object) => ({ name: "n", cidr: "10.0.0.0/24", ...more });
const template = (more: object) => ({ name: "t", subnetIds: [1], portListIds: [1], ...more });

const REFUSALS: readonly Refusal[] = [
  ["POST", SUBNETS, net({ cidr: "10.0.0.0/33" }), 400, "INVALID_TARGET", "cidr", "10.0.0.0/33"],
  ["POST", SUBNETS, net({ cidr: "10.0.0.256" }), 400, "INVALID_TARGET", "cidr", "10.0.0.256"],
  [
    "POST",
    SUBNETS,
    net({ cidr: "10.0.0.0/24,10.1.0.0/24" }),
    400,
    "INVALID_TARGET",
    "cidr",
    "10.0.0.0/24,10.1.0.0/24",
  ],
  ["POST", SUBNETS, net({ cidr: "10.0.0.1-9" }), 400, "INVALID_TARGET", "cidr", "10.0.0.1-9"],
  ["POST", SUBNETS, net({ cidr: "example.org" }), 400, "INVALID_TARGET", "cidr", "example.org"],
  ["POST", SUBNETS, net({ cidr: "' or 1=1 --" }), 400, "INVALID_TARGET", "cidr", "' or 1=1 --"],
  ["POST", SUBNETS, net({ cidr: "2001:db8::/64" }), 400, "SCOPE_TOO_LARGE", "cidr", "2001:db8::/64"],
  ["POST", SUBNETS, net({ cidr: "224.0.0.0/4" }), 400, "INVALID_TARGET", "cidr", "224.0.0.0/4"],
  ["POST", SUBNETS, net({ cidr: "fe80::/64" }), 400, "INVALID_TARGET", "cidr", "fe80::/64"],
  [
    "POST",
    SUBNETS,
    net({ exclusions: ["10.0.0.1", "10.0.0.x"] }),
    400,
    "INVALID_TARGET",
    "exclusions",
    "10.0.0.x",
  ],
  ["POST", SUBNETS, net({ exclusions: ["10.0.0.0/8"] }), 400, "INVALID_TARGET", "cidr", "10.0.0.0/24"],
  ["POST", SUBNETS, net({ scannerIds: [99] }), 400, "INVALID_REQUEST", "scannerIds", "99"],
  ["POST", SUBNETS, net({ groupIds: [98] }), 400, "INVALID_REQUEST", "groupIds", "98"],
  ["POST", SUBNETS, net({ rateLimit: 100_001 }), 400, "INVALID_REQUEST", "rateLimit"],
  ["POST", SUBNETS, net({ rateLimit: "9" }), 400, "INVALID_REQUEST", "rateLimit"],
  ["POST", SUBNETS, net({ name: "" }), 400, "INVALID_REQUEST", "name"],
  ["POST", SUBNETS, net({ name: " n" }), 400, "INVALID_REQUEST", "name"],
  ["POST", SUBNETS, net({ name: "a\nb" }), 400, "INVALID_REQUEST", "name"],
  ["POST", SUBNETS, net({ name: "a\0b" }), 400, "INVALID_REQUEST", "name"],
  ["POST", SUBNETS, net({ name: "n".repeat(256) }), 400, "INVALID_REQUEST", "name"],
  ["POST", SUBNETS, net({ description: "a\0b" }), 400, "INVALID_REQUEST", "description"],
  ["POST", SUBNETS, net({ owner: "me" }), 400, "INVALID_REQUEST", ""],
  ["PUT", `${SUBNETS}/1`, { name: "n" }, 400, "INVALID_REQUEST", "cidr"],
  ["PATCH", `${SUBNETS}/1`, { cidr: "10.0.0.0/99" }, 400, "INVALID_TARGET", "cidr", "10.0.0.0/99"],
  ["PATCH", `${SUBNETS}/1`, { scannerIds: [99], rateLimit: 5 }, 400, "INVALID_REQUEST", "scannerIds", "99"],
  [
    "POST",
    `${SUBNETS}/bulk`,
    { subnets: [net({}), net({ name: "m", cidr: "x" })] },
    400,
    "INVALID_TARGET",
    "subnets.1.cidr",
    "x",
  ],
  ["POST", `${SUBNETS}/bulk`, { subnets: [net({}), net({})] }, 409, "CONFLICT", "subnets.1.name", "n"],
  ["POST", `${SUBNETS}/bulk`, { subnets: [] }, 400, "INVALID_REQUEST", "subnets"],

  ["POST", PORT_LISTS, { name: "p", spec: "22,abc,80" }, 400, "INVALID_PORT", "spec", "abc"],
  ["POST", PORT_LISTS, { name: "p", spec: "22,70000" }, 400, "INVALID_PORT", "spec", "70000"],
  ["POST", PORT_LISTS, { name: "p", spec: "22/icmp" }, 400, "INVALID_PORT", "spec", "22/icmp"],
  ["POST", PORT_LISTS, { name: "p", spec: "80-22" }, 400, "INVALID_PORT", "spec", "80-22"],
  ["POST", PORT_LISTS, { name: "p", spec: "0" }, 400, "INVALID_PORT", "spec", "0"],
  ["POST", PORT_LISTS, { name: "p", spec: "65536" }, 400, "INVALID_PORT", "spec", "65536"],
  ["POST", PORT_LISTS, { name: "p", spec: "22,!22" }, 400, "INVALID_PORT", "spec"],
  ["POST", PORT_LISTS, { name: "p", spec: "1-65535,U:53" }, 409, "LIMIT_REACHED", "spec", "1-65535,U:53"],
  ["POST", PORT_LISTS, { name: "p", spec: "22;drop table" }, 400, "INVALID_PORT", "spec", "22;drop"],
  ["PATCH", `${PORT_LISTS}/1`, { spec: "<script>" }, 400, "INVALID_PORT", "spec", "<script>"],

  ["POST", GROUPS, { name: "g", scannerIds: [] }, 400, "INVALID_REQUEST", "scannerIds"],
  ["POST", GROUPS, { name: "g", scannerIds: [1, 99] }, 400, "INVALID_REQUEST", "scannerIds", "99"],

  ["POST", LISTS, { name: "with space" }, 400, "INVALID_REQUEST", "name"],
  ["POST", LISTS, { name: "../x" }, 400, "INVALID_REQUEST", "name"],
  [
    "POST",
    "/discovery/lists",
    { name: "l", scannerName: "nobody" },
    400,
    "INVALID_REQUEST",
    "scannerName",
    "nobody",
  ],
  [
    "POST",
    "/discovery/lists/cloud/ips",
    { ips: ["10.0.0.1", "10.0.0.999"] },
    400,
    "INVALID_TARGET",
    "ips.1",
    "10.0.0.999",
  ],
  [
    "POST",
    "/discovery/lists/cloud/ips",
    { ips: ["10.0.0.0/24"] },
    400,
    "INVALID_TARGET",
    "ips.0",
    "10.0.0.0/24",
  ],
  ["POST", "/discovery/lists/cloud/ips", { ips: ["239.1.2.3"] }, 400, "INVALID_TARGET", "ips.0", "239.1.2.3"],
  ["POST", "/discovery/lists/cloud/ips", { ips: ["fe80::1"] }, 400, "INVALID_TARGET", "ips.0"],
  [
    "POST",
    "/discovery/lists/cloud/ips",
    { ips: ["'; drop table x; --"] },
    400,
    "INVALID_TARGET",
    "ips.0",
    "'; drop table x; --",
  ],
  ["DELETE", "/discovery/lists/cloud/ips", { ips: ["x"] }, 400, "INVALID_TARGET", "ips.0", "x"],
  [
    "DELETE",
    "/discovery/lists/cloud/ips/older-than?olderThan=yesterday",
    undefined,
    400,
    "INVALID_REQUEST",
    "olderThan",
  ],
  ["DELETE", "/discovery/lists/cloud/ips/older-than", undefined, 400, "INVALID_REQUEST", "olderThan"],
  ["POST", "/discovery/lists/none/ips", { ips: ["10.0.0.1"] }, 404, "NOT_FOUND", ""],

  ["POST", TEMPLATES, template({ subnetIds: [99] }), 400, "INVALID_REQUEST", "subnetIds", "99"],
  ["POST", TEMPLATES, template({ portListIds: [97] }), 400, "INVALID_REQUEST", "portListIds", "97"],
  ["POST", TEMPLATES, template({ discoveryListIds: [96] }), 400, "INVALID_REQUEST", "discoveryListIds", "96"],
  ["POST", TEMPLATES, template({ subnetIds: [] }), 400, "INVALID_REQUEST", "subnetIds", "[]"],
  ["POST", TEMPLATES, template({ portListIds: [] }), 400, "INVALID_REQUEST", "portListIds"],
  ["POST", TEMPLATES, template({ engine: "masscan" }), 400, "INVALID_REQUEST", "engine"],
  ["POST", TEMPLATES, template({ scanTimeoutSeconds: 0 }), 400, "INVALID_REQUEST", "scanTimeoutSeconds"],
  ["POST", TEMPLATES, template({ portTimeoutMs: 49 }), 400, "INVALID_REQUEST", "portTimeoutMs"],
  ["POST", TEMPLATES, template({ reportStates: [] }), 400, "INVALID_REQUEST", "reportStates"],
  ["PATCH", `${TEMPLATES}/1`, { subnetIds: [] }, 400, "INVALID_REQUEST", "subnetIds", "[]"],
  [
    "POST",
    `${TEMPLATES}/1/expected`,
    { results: [{ address: "x", port: 22 }] },
    400,
    "INVALID_TARGET",
    "results.0.address",
    "x",
  ],
  [
    "POST",
    `${TEMPLATES}/1/expected`,
    { results: [{ address: "10.0.0.1", port: 65_536 }] },
    400,
    "INVALID_REQUEST",
    "results.0.port",
  ],
];

/** The field of a refusal, by whichever rule refused. */
function fieldOf(details: Readonly<Record<string, unknown>> | undefined): unknown {
  if (details?.["field"] !== undefined) return details["field"];
  const issues = z.array(z.object({ path: z.string() })).safeParse(details?.["issues"]);
  return issues.success ? issues.data[0]?.path : "";
}

describeOnSqlite("the catalogue refuses", (openTestStore) => {
  test("wrong fields, by name and token, and stores nothing of them", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const catalogue = new TestCatalogue(plane);
    const { id: scanner } = await plane.provision("s1");
    const subnet = await catalogue.subnet("10.9.0.0/30", { scannerIds: [scanner] });
    const ports = await catalogue.portList("22");
    await catalogue.discoveryList({ name: "cloud" });
    await catalogue.template({ subnetIds: [subnet.id], portListIds: [ports.id] });
    const token = await plane.token("operator");
    const before = await contents(store);
    for (const [method, path, body, status, code, field, wrong] of REFUSALS) {
      const answer = await plane.call(method, path, { token, body });
      const { code: given, details } = errorOf(answer);
      const said = { status: answer.status, code: given, field: fieldOf(details) };
      expect([method, path, body, said]).toEqual([method, path, body, { status, code, field }]);
      if (wrong !== undefined) expect(details?.["token"]).toBe(wrong);
    }
    expect(await contents(store)).toBe(before);
  });

  test("more in one call than a call may hold", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    await new TestCatalogue(plane).discoveryList({ name: "cloud" });
    const token = await plane.token("operator");
    const before = await contents(store);
    const ips = Array.from({ length: MAX_ADDRESSES_PER_PUSH + 1 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const push = await plane.call("POST", "/discovery/lists/cloud/ips", { token, body: { ips } });
    expect([push.status, errorOf(push).code]).toEqual([400, "INVALID_REQUEST"]);
    const description = "d".repeat(1_100_000);
    const body = { name: "n", cidr: "10.0.0.0/24", description };
    const huge = await plane.call("POST", SUBNETS, { token, body });
    expect([huge.status, errorOf(huge).code]).toEqual([413, "BODY_TOO_LARGE"]);
    expect(await contents(store)).toBe(before);
  });

  test("whatever arrives is stored whole or not at all, and never breaks anything", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const token = await plane.token("operator");
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.constantFrom("10.0.0.0/24", "22", "cloud", "2001:db8::/112", "x';--", "\ud800"),
    );
    const value = fc.oneof(
      text,
      fc.integer(),
      fc.constant(null),
      fc.array(fc.oneof(text, fc.nat()), { maxLength: 3 }),
    );
    const fields = [
      "name",
      "cidr",
      "spec",
      "description",
      "rateLimit",
      "scannerIds",
      "exclusions",
      "subnetIds",
    ];
    const body = fc.dictionary(fc.constantFrom(...fields), value, { maxKeys: 5 });
    const call = fc.record({ path: fc.constantFrom(SUBNETS, PORT_LISTS, LISTS, TEMPLATES), body });
    await fc.assert(
      fc.asyncProperty(call, async ({ path, body }) => {
        const before = await contents(store);
        const answer = await plane.call("POST", path, { token, body });
        expect([201, 400, 409]).toContain(answer.status);
        const changed = (await contents(store)) !== before;
        expect(changed).toBe(answer.status === 201);
        if (answer.status !== 201) return;
        for (const [field, given] of Object.entries(body)) {
          if (field !== "cidr") expect(answer.body).toMatchObject({ [field]: given });
        }
      }),
      { numRuns: 200 },
    );
  }, 30_000);
});

describeOnBothDatabases("the 50,001st subnet", (openTestStore) => {
  test("is refused, alone or among others, and 50,000 are not", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const token = await plane.token("operator");
    const subnets = Array.from({ length: MAX_SUBNETS + 1 }, (_, i) => ({
      name: `net-${i}`,
      cidr: `10.${i >> 8}.${i & 255}.0/24`,
    }));
    const bulk = (from: number, to: number) =>
      plane.call("POST", `${SUBNETS}/bulk`, { token, body: { subnets: subnets.slice(from, to) } });
    const tooMany = await bulk(0, MAX_SUBNETS + 1);
    expect([tooMany.status, errorOf(tooMany).code]).toEqual([400, "INVALID_REQUEST"]);
    expect((await bulk(0, MAX_SUBNETS - 1)).body).toEqual({ created: MAX_SUBNETS - 1 });
    const two = await bulk(MAX_SUBNETS - 1, MAX_SUBNETS + 1);
    expect(errorOf(two)).toMatchObject({
      code: "LIMIT_REACHED",
      details: { limit: MAX_SUBNETS, count: MAX_SUBNETS - 1 },
    });
    expect((await bulk(MAX_SUBNETS - 1, MAX_SUBNETS)).status).toBe(201);
    const last = await plane.call("POST", SUBNETS, {
      token,
      body: { name: "one more", cidr: "10.0.0.0/24" },
    });
    expect([last.status, errorOf(last).code]).toEqual([409, "LIMIT_REACHED"]);
    expect((await plane.call("DELETE", `${SUBNETS}/1`, { token })).status).toBe(204);
    const freed = await plane.call("POST", SUBNETS, {
      token,
      body: { name: "one more", cidr: "10.0.0.0/24" },
    });
    expect(freed.status).toBe(201);
  }, 60_000);
});
