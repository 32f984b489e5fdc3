/** How many there may be of each: one more is refused, and nothing of it is stored. The cap of subnets is with refusals. */

import { expect, test } from "bun:test";
import {
  MAX_DISCOVERY_LISTS,
  MAX_PORT_LISTS,
  MAX_PORT_LISTS_PER_TEMPLATE,
  MAX_SCAN_TEMPLATES,
  MAX_SCANNER_GROUPS,
  MAX_TEMPLATE_PARTS,
} from "#shared/protocol/limits.ts";
import { subnetBulkResponseSchema } from "#shared/protocol/subnets.ts";
import { type CatalogueTableName, countRows } from "../../store/catalogue.ts";
import { insertDiscoveryList } from "../../store/discovery-lists.ts";
import { insertPortList } from "../../store/port-lists.ts";
import { insertScanTemplate } from "../../store/scan-templates.ts";
import { insertScannerGroup } from "../../store/scanner-groups.ts";
import type { Session } from "../../store/store.ts";
import { describeOnSqlite } from "../../store/testing/stores.ts";
import { TestCatalogue } from "../../testing/catalogue.ts";
import { errorOf, TestControlPlane } from "../../testing/control-plane.ts";

const made = (name: string) => ({ name, description: "", created_by: "test" });

interface Cap {
  readonly path: string;
  readonly table: CatalogueTableName;
  readonly max: number;
  /** Puts one more in, without the API: thousands of calls would take too long. */
  readonly insert: (session: Session, name: string) => Promise<number>;
  readonly body: object;
}

const CAPS: readonly Cap[] = [
  {
    path: "port-lists",
    table: "port_lists",
    max: MAX_PORT_LISTS,
    insert: (session, name) =>
      insertPortList(session, { ...made(name), spec: "22", canonical: "22", ports: 1, rate_limit: 0 }),
    body: { spec: "22" },
  },
  {
    path: "scanner-groups",
    table: "scanner_groups",
    max: MAX_SCANNER_GROUPS,
    insert: (session, name) => insertScannerGroup(session, made(name)),
    body: { scannerIds: [1] },
  },
  {
    path: "discovery-lists",
    table: "discovery_lists",
    max: MAX_DISCOVERY_LISTS,
    insert: (session, name) => insertDiscoveryList(session, { ...made(name), rate_limit: 0 }),
    body: {},
  },
  {
    path: "scan-templates",
    table: "scan_templates",
    max: MAX_SCAN_TEMPLATES,
    insert: (session, name) =>
      insertScanTemplate(session, {
        ...made(name),
        engine: "syn",
        protocol: "both",
        service_detection: 0,
        options: JSON.stringify({
          retries: 1,
          portTimeoutMs: 1_500,
          scanTimeoutSeconds: 3_600,
          reportStates: ["open"],
        }),
      }),
    body: { subnetIds: [1], portListIds: [1] },
  },
];

describeOnSqlite("there may be", (openTestStore) => {
  test.each(CAPS.map((cap) => [cap.max, cap.path, cap] as const))(
    "%d %s",
    async (max, path, cap) => {
      const store = await openTestStore();
      const plane = new TestControlPlane(store);
      const catalogue = new TestCatalogue(plane);
      await plane.provision("s1");
      await catalogue.subnet("10.0.0.0/30");
      await catalogue.portList("22");
      await store.transaction(async (session) => {
        for (let count = await countRows(session, cap.table); count < max - 1; count++) {
          await cap.insert(session, `filler-${count}`);
        }
      });
      const add = async (name: string) =>
        plane.call("POST", `/api/config/${path}`, {
          token: await plane.token("operator"),
          body: { name, ...cap.body },
        });
      expect((await add("the-last")).status).toBe(201);
      const refused = await add("one-too-many");
      expect(refused.status).toBe(409);
      expect(errorOf(refused)).toMatchObject({ code: "LIMIT_REACHED", details: { limit: max, count: max } });
      expect(await store.run((session) => countRows(session, cap.table))).toBe(max);
    },
    30_000,
  );

  test("500,000 parts in a template, and no more", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const catalogue = new TestCatalogue(plane);
    const subnets = MAX_TEMPLATE_PARTS / MAX_PORT_LISTS_PER_TEMPLATE + 1;
    await plane.operate("POST", "/api/config/subnets/bulk", subnetBulkResponseSchema, {
      subnets: Array.from({ length: subnets }, (_, i) => ({ name: `n${i}`, cidr: "10.0.0.0/30" })),
    });
    const portListIds = [];
    for (let i = 0; i < MAX_PORT_LISTS_PER_TEMPLATE; i++) {
      portListIds.push((await catalogue.portList(String(i + 1))).id);
    }
    const subnetIds = Array.from({ length: subnets }, (_, i) => i + 1);
    const answer = await plane.call("POST", "/api/config/scan-templates", {
      token: await plane.token("operator"),
      body: { name: "huge", subnetIds, portListIds },
    });
    expect([answer.status, errorOf(answer).code]).toEqual([400, "SCOPE_TOO_LARGE"]);
    const template = await catalogue.template({ subnetIds: subnetIds.slice(1), portListIds });
    expect(template).toMatchObject({ hosts: 4, ports: MAX_PORT_LISTS_PER_TEMPLATE });
  }, 30_000);
});
