/** Queries on networks: which subnet, port list and template are shown as one. */

import type { Selectable } from "kysely";
import { type ListPage, nameContains } from "./catalogue.ts";
import type { Session } from "./store.ts";
import type { NetworksTable } from "./tables.ts";

type NetworkKey = Omit<Selectable<NetworksTable>, "id" | "created_at">;
export type NetworkRow = Awaited<ReturnType<typeof listNetworks>>[number];

export async function insertNetwork({ db, dialect }: Session, network: NetworkKey): Promise<number> {
  const { id } = await db
    .insertInto("networks")
    .values({ ...network, created_at: dialect.nowMs() })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

export async function deleteNetwork({ db }: Session, id: number): Promise<void> {
  await db.deleteFrom("networks").where("id", "=", id).execute();
}

/** With what a network shows of what it is a view on. */
function selectNetworks({ db }: Session) {
  return db
    .selectFrom("networks")
    .innerJoin("subnets", "subnets.id", "networks.subnet_id")
    .innerJoin("port_lists", "port_lists.id", "networks.port_list_id")
    .innerJoin("scan_templates", "scan_templates.id", "networks.template_id")
    .select(["networks.id", "networks.subnet_id", "networks.port_list_id", "networks.template_id"])
    .select(["subnets.name", "subnets.description", "subnets.cidr", "subnets.rate_limit"])
    .select(["subnets.exclusions", "port_lists.spec", "scan_templates.engine", "scan_templates.protocol"])
    .select(["scan_templates.service_detection", "scan_templates.options", "networks.created_at"])
    .select([
      "subnets.updated_at as subnet_updated_at",
      "port_lists.updated_at as port_list_updated_at",
      "scan_templates.updated_at as template_updated_at",
    ]);
}

export async function findNetwork(session: Session, id: number): Promise<NetworkRow | undefined> {
  return selectNetworks(session).where("networks.id", "=", id).executeTakeFirst();
}

export async function listNetworks(session: Session, { limit, after, q }: ListPage) {
  let query = selectNetworks(session).orderBy("networks.id").limit(limit);
  if (after !== undefined) query = query.where("networks.id", ">", after);
  if (q !== undefined) query = query.where(nameContains(q, "subnets.name"));
  return query.execute();
}
