/** What refers to what: an object that is referred to is not deleted. */

import { sql } from "kysely";
import type { UsedBy } from "#shared/protocol/catalogue.ts";
import { type Link, LINKS } from "./links.ts";
import type { ReferredTable } from "./catalogue.ts";
import type { Session } from "./store.ts";

interface Use {
  readonly kind: UsedBy["kind"];
  /** The table of what refers; it has an id and a name. */
  readonly table: string;
  readonly link: Link;
}

const USES: Readonly<Record<ReferredTable, readonly Use[]>> = {
  scanners: [
    { kind: "subnet", table: "subnets", link: LINKS.subnetScanners },
    { kind: "discovery-list", table: "discovery_lists", link: LINKS.discoveryScanners },
    { kind: "scanner-group", table: "scanner_groups", link: LINKS.groupMembers },
  ],
  scanner_groups: [
    { kind: "subnet", table: "subnets", link: LINKS.subnetGroups },
    { kind: "discovery-list", table: "discovery_lists", link: LINKS.discoveryGroups },
  ],
  subnets: [{ kind: "scan-template", table: "scan_templates", link: LINKS.templateSubnets }],
  discovery_lists: [{ kind: "scan-template", table: "scan_templates", link: LINKS.templateDiscoveryLists }],
  port_lists: [{ kind: "scan-template", table: "scan_templates", link: LINKS.templatePortLists }],
  scan_templates: [
    {
      kind: "schedule",
      table: "schedules",
      link: { table: "schedules", from: "id", to: "template_id" },
    },
  ],
};

/** What refers to the object, the first `limit` of each kind. */
export async function listUses(
  session: Session,
  table: ReferredTable,
  id: number,
  limit: number,
): Promise<UsedBy[]> {
  const uses: UsedBy[] = [];
  for (const { kind, table: user, link } of USES[table]) {
    const { rows } = await sql<{ id: number; name: string }>`
      select u.id, u.name from ${sql.table(user)} as u
      join ${sql.table(link.table)} as l on l.${sql.ref(link.from)} = u.id
      where l.${sql.ref(link.to)} = ${id} order by u.id limit ${limit}`.execute(session.db);
    uses.push(...rows.map((row) => ({ kind, id: row.id, name: row.name })));
  }
  if (table === "scan_templates") uses.push(...(await listNetworksOfTemplate(session, id)));
  return uses;
}

/** A network bears the name of its subnet. */
async function listNetworksOfTemplate({ db }: Session, templateId: number): Promise<UsedBy[]> {
  const rows = await db
    .selectFrom("networks")
    .innerJoin("subnets", "subnets.id", "networks.subnet_id")
    .select(["networks.id", "subnets.name"])
    .where("networks.template_id", "=", templateId)
    .execute();
  return rows.map(({ id, name }) => ({ kind: "network", id, name }));
}
