/** What subnets, port lists, scanner groups, discovery lists and templates have in common. */

import { expect, test } from "bun:test";
import { z } from "zod";
import { auditListSchema } from "#shared/protocol/administration.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import { TestCatalogue } from "../../testing/catalogue.ts";
import { type Answer, errorCode, errorOf, TestControlPlane } from "../../testing/control-plane.ts";

/** Enough of any view. */
const viewSchema = z.looseObject({ id: z.int(), name: z.string(), description: z.string() });

interface ResourceCase {
  readonly path: string;
  /** The key of the list. */
  readonly key: string;
  readonly action: string;
  /** What to create, given what a catalogue has; everything but the name. */
  readonly make: (catalogue: TestCatalogue, plane: TestControlPlane) => Promise<object>;
  /** What PATCH may change, and what it is then. */
  readonly change: object;
  /** What PUT without it makes of the change. */
  readonly defaults: object;
}

const RESOURCES: readonly ResourceCase[] = [
  {
    path: "/api/config/subnets",
    key: "subnets",
    action: "subnet",
    make: async () => ({ cidr: "10.1.0.0/24" }),
    change: { rateLimit: 77, exclusions: ["10.1.0.9"] },
    defaults: { rateLimit: 0, exclusions: [] },
  },
  {
    path: "/api/config/port-lists",
    key: "portLists",
    action: "port-list",
    make: async () => ({ spec: "22,80-443,!81" }),
    change: { rateLimit: 77 },
    defaults: { rateLimit: 0 },
  },
  {
    path: "/api/config/scanner-groups",
    key: "scannerGroups",
    action: "scanner-group",
    make: async (_, plane) => ({ scannerIds: [(await plane.provision(`s-${crypto.randomUUID()}`)).id] }),
    change: {},
    defaults: {},
  },
  {
    path: "/api/config/discovery-lists",
    key: "discoveryLists",
    action: "discovery-list",
    make: async () => ({}),
    change: { rateLimit: 77 },
    defaults: { rateLimit: 0 },
  },
  {
    path: "/api/config/scan-templates",
    key: "scanTemplates",
    action: "scan-template",
    make: async (catalogue) => ({
      subnetIds: [(await catalogue.subnet("10.2.0.0/30")).id],
      portListIds: [(await catalogue.portList("22")).id],
    }),
    change: { engine: "nmap", retries: 3, reportStates: ["open", "closed"] },
    defaults: { engine: "syn", retries: 1, reportStates: ["open"] },
  },
];

describeOnBothDatabases("the catalogue", (openTestStore) => {
  for (const { path, key, action, make, change, defaults } of RESOURCES) {
    test(`${path}: adds, shows, replaces, changes, removes, and notes each in the audit log`, async () => {
      const plane = new TestControlPlane(await openTestStore());
      const token = await plane.token("operator");
      const fields = await make(new TestCatalogue(plane), plane);
      const created = await plane.operate("POST", path, viewSchema, { name: "first", ...fields });
      expect(created).toMatchObject({ name: "first", description: "", createdBy: "operator:test-admin" });
      const one = `${path}/${created.id}`;
      expect(await plane.operate("GET", one, viewSchema)).toEqual(created);

      const patched = await plane.operate("PATCH", one, viewSchema, { description: "why", ...change });
      expect(patched).toMatchObject({ ...fields, ...change, name: "first", description: "why" });
      const replaced = await plane.operate("PUT", one, viewSchema, { name: "second", ...fields });
      expect(replaced).toMatchObject({ ...fields, ...defaults, name: "second", description: "" });

      expect((await plane.call("DELETE", one, { token })).status).toBe(204);
      for (const method of ["GET", "DELETE"]) {
        expect(errorCode(await plane.call(method, one, { token }))).toBe("NOT_FOUND");
      }
      expect(errorCode(await plane.call("PATCH", one, { token, body: {} }))).toBe("NOT_FOUND");
      const { entries } = await plane.operate("GET", "/api/audit?limit=4", auditListSchema);
      expect(entries.map((entry) => [entry.action, entry.object])).toEqual(
        ["deleted", "updated", "updated", "created"].map((what) => [
          `${action}.${what}`,
          `${action}:${created.id}`,
        ]),
      );
    });

    test(`${path}: a name is taken once, also by requests at the same time; removing frees it`, async () => {
      const plane = new TestControlPlane(await openTestStore());
      const fields = await make(new TestCatalogue(plane), plane);
      const token = await plane.token("operator");
      const add = () => plane.call("POST", path, { token, body: { name: "same", ...fields } });
      const answers = await Promise.all([add(), add(), add()]);
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409]);
      const refused = answers.filter(({ status }) => status === 409).map(errorOf);
      expect(refused[0]).toMatchObject({ code: "CONFLICT", details: { field: "name", token: "same" } });
      const other = viewSchema.parse(
        (await plane.call("POST", path, { token, body: { name: "other", ...fields } })).body,
      );
      const rename = await plane.call("PATCH", `${path}/${other.id}`, { token, body: { name: "same" } });
      expect(errorCode(rename)).toBe("CONFLICT");
      const first = viewSchema.parse(answers.find(({ status }) => status === 201)?.body);
      expect((await plane.call("DELETE", `${path}/${first.id}`, { token })).status).toBe(204);
      const again = await add();
      expect(again.status).toBe(201);
      // An id is never given twice: what was found under the old one must not become the new one's.
      expect(viewSchema.parse(again.body).id).toBeGreaterThan(other.id);
    });

    test(`${path}: lists in pages, and by a part of the name as it is written`, async () => {
      const plane = new TestControlPlane(await openTestStore());
      const catalogue = new TestCatalogue(plane);
      const names = ["Alpha", "beta", "alpha_2", "gamma", "alphaX2"].map((name) =>
        key === "discoveryLists" ? name : `${name} 100%`,
      );
      for (const name of names) {
        await plane.operate("POST", path, viewSchema, { name, ...(await make(catalogue, plane)) });
      }
      const listSchema = z.looseObject({ nextCursor: z.int().nullable() });
      const list = async (query: string) => {
        const page = await plane.operate("GET", `${path}?${query}`, listSchema);
        const rows = z.array(viewSchema).parse(page[key]);
        return { names: rows.map(({ name }) => name), next: page.nextCursor };
      };
      const first = await list("limit=3");
      expect(first.names).toEqual(names.slice(0, 3));
      expect(await list(`limit=3&cursor=${first.next}`)).toEqual({ names: names.slice(3), next: null });
      expect((await list("q=ALPHA")).names).toEqual(names.filter((name) => /alpha/i.test(name)));
      expect((await list("q=alpha_")).names).toEqual(names.slice(2, 3));
      expect((await list("q=%25")).names).toEqual(names.filter((name) => name.includes("%")));
      expect((await list("q=%5C")).names).toEqual([]);
    });

    test(`${path}: a viewer looks and changes nothing`, async () => {
      const plane = new TestControlPlane(await openTestStore());
      const fields = await make(new TestCatalogue(plane), plane);
      const { id } = await plane.operate("POST", path, viewSchema, { name: "first", ...fields });
      const token = await plane.token("viewer");
      expect((await plane.call("GET", `${path}/${id}`, { token })).status).toBe(200);
      const changes: Answer[] = [
        await plane.call("POST", path, { token, body: { name: "mine", ...fields } }),
        await plane.call("PATCH", `${path}/${id}`, { token, body: { name: "mine" } }),
        await plane.call("DELETE", `${path}/${id}`, { token }),
      ];
      expect(changes.map(({ status }) => status)).toEqual([403, 403, 403]);
    });
  }
});

describeOnBothDatabases("what something refers to", (openTestStore) => {
  test("is not removed, and the error says by what it is used", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const catalogue = new TestCatalogue(plane);
    const { id: scanner } = await plane.provision("s1");
    const group = await catalogue.group([scanner]);
    const subnet = await catalogue.subnet("10.0.0.0/30", { groupIds: [group.id], scannerIds: [scanner] });
    const list = await catalogue.discoveryList({ groupIds: [group.id] });
    const ports = await catalogue.portList("22");
    const template = await catalogue.template({
      subnetIds: [subnet.id],
      discoveryListIds: [list.id],
      portListIds: [ports.id],
    });
    const byTemplate = [{ kind: "scan-template", id: template.id, name: template.name }];
    const bySources = [
      { kind: "subnet", id: subnet.id, name: subnet.name },
      { kind: "discovery-list", id: list.id, name: list.name },
    ];
    const token = await plane.token("operator");
    const remove = (path: string) => plane.call("DELETE", `/api/config/${path}`, { token });
    for (const [path, usedBy] of [
      [`subnets/${subnet.id}`, byTemplate],
      [`discovery-lists/${list.id}`, byTemplate],
      [`port-lists/${ports.id}`, byTemplate],
      [`scanner-groups/${group.id}`, bySources],
      [`scanners/${scanner}`, [bySources[0], { kind: "scanner-group", id: group.id, name: group.name }]],
    ] as const) {
      const answer = await remove(path);
      expect([path, answer.status]).toEqual([path, 409]);
      expect(errorOf(answer)).toMatchObject({ code: "IN_USE", details: { usedBy: [...usedBy] } });
    }
    // From the top down everything can be removed, and nothing is left behind that refers to it.
    for (const path of [
      `scan-templates/${template.id}`,
      `port-lists/${ports.id}`,
      `discovery-lists/${list.id}`,
      `subnets/${subnet.id}`,
      `scanner-groups/${group.id}`,
      `scanners/${scanner}`,
    ]) {
      expect([path, (await remove(path)).status]).toEqual([path, 204]);
    }
  });

  test("lists no more than 20 users of a kind", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const catalogue = new TestCatalogue(plane);
    const { id: scanner } = await plane.provision("s1");
    const subnets = Array.from({ length: 25 }, (_, i) => ({
      name: `n${i}`,
      cidr: "10.0.0.0/30",
      scannerIds: [scanner],
    }));
    await plane.operate("POST", "/api/config/subnets/bulk", z.unknown(), { subnets });
    await catalogue.group([scanner]);
    const token = await plane.token("operator");
    const { message, details } = errorOf(
      await plane.call("DELETE", `/api/config/scanners/${scanner}`, { token }),
    );
    expect(message).toBe("scanner 1 is used by subnet 'n0' and others; take it out there first");
    expect(details?.["usedBy"]).toHaveLength(20);
  });
});

describeOnSqlite("text in names", (openTestStore) => {
  test.each([
    `Robert'); DROP TABLE subnets;--`,
    `" or 1=1 --`,
    `<script>alert(1)</script>`,
    `\${7*7} {{7*7}} %s %00 ../../etc/passwd`,
    "Zürich — 東京 🛰",
  ])("is kept as it is written, and means nothing: %s", async (name) => {
    const plane = new TestControlPlane(await openTestStore());
    const catalogue = new TestCatalogue(plane);
    const subnet = await catalogue.subnet("10.0.0.0/30", { name, description: name });
    const ports = await catalogue.portList("22", { name });
    const body = { name, subnetIds: [subnet.id], portListIds: [ports.id] };
    const template = await catalogue.template(body);
    expect([subnet.name, subnet.description, ports.name, template.name]).toEqual([name, name, name, name]);
    const answer = await plane.call("GET", `/api/config/subnets?q=${encodeURIComponent(name)}`, {
      token: await plane.token("viewer"),
    });
    expect(answer.headers.get("content-type")).toStartWith("application/json");
    expect(answer.body).toMatchObject({ subnets: [{ name }] });
  });
});
