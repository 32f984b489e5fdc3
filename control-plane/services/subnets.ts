/** Subnets: networks to scan, who scans them, and how fast. */

import { z } from "zod";
import type { Log } from "#shared/log.ts";
import type { CatalogueQuery } from "#shared/protocol/catalogue.ts";
import type { SubnetPatch, SubnetRequest, SubnetView } from "#shared/protocol/subnets.ts";
import { listNames, markCatalogueRowDeleted } from "../store/catalogue.ts";
import { deleteLinks, insertLinks, type Link, LINKS, listLinks, replaceLinks } from "../store/links.ts";
import type { Session, Store } from "../store/store.ts";
import {
  findSubnet,
  insertSubnets,
  listSubnets,
  type SubnetChange,
  type SubnetRow,
  updateSubnet,
} from "../store/subnets.ts";
import {
  requireFreeName,
  requireReferences,
  requireRoom,
  requireRow,
  requireUnused,
  writeCatalogue,
} from "./catalogue-rules.ts";
import { fieldError } from "./field-errors.ts";
import { type Page, pageOf } from "./page.ts";
import { readJson } from "./stored-json.ts";
import { readSubnet } from "./subnet-scope.ts";
import { isoTime } from "./time.ts";

const textsSchema = z.array(z.string());

export class Subnets {
  private readonly deps: { readonly store: Store; readonly log: Log };

  constructor(store: Store, log: Log) {
    this.deps = { store, log };
  }

  async list({ limit, cursor, q }: CatalogueQuery): Promise<Page<SubnetView>> {
    return this.deps.store.run(async (session) => {
      const page = pageOf(await listSubnets(session, { limit: limit + 1, after: cursor, q }), limit);
      return { ...page, rows: await viewSubnets(session, page.rows) };
    });
  }

  /** @throws PortolanError NOT_FOUND */
  async get(id: number): Promise<SubnetView> {
    return this.deps.store.run((session) => viewSubnet(session, id));
  }

  /** @throws PortolanError INVALID_TARGET, SCOPE_TOO_LARGE, INVALID_REQUEST, CONFLICT, LIMIT_REACHED */
  async create(request: SubnetRequest, actor: string): Promise<SubnetView> {
    return writeCatalogue(this.deps, actor, async (session) => {
      const id = await createSubnet(session, request, actor);
      const result = await viewSubnet(session, id);
      const detail = { name: result.name, cidr: result.cidr };
      return { result, entry: { action: "subnet.created", object: `subnet:${id}`, detail } };
    });
  }

  /**
   * All of them or none.
   * @returns how many
   * @throws PortolanError as `create`; the field is that of the first wrong one: `subnets.17.cidr`
   */
  async createMany(requests: readonly SubnetRequest[], actor: string): Promise<number> {
    return writeCatalogue(this.deps, actor, async (session) => {
      const ids = await createSubnets(session, requests, actor);
      const [first] = ids;
      const detail = { count: ids.length, firstId: first ?? null, lastId: ids.at(-1) ?? null };
      return { result: ids.length, entry: { action: "subnet.bulk-created", object: "subnets", detail } };
    });
  }

  /** Replaces all of it. @throws PortolanError NOT_FOUND, and as `create` */
  async replace(id: number, request: SubnetRequest, actor: string): Promise<SubnetView> {
    return this.patch(id, request, actor);
  }

  /** Changes what is given. Scans that were started before go on as they were. @throws as `replace` */
  async patch(id: number, patch: SubnetPatch, actor: string): Promise<SubnetView> {
    return writeCatalogue(this.deps, actor, async (session) => {
      await changeSubnet(session, id, patch);
      const result = await viewSubnet(session, id);
      const detail = { name: result.name, cidr: result.cidr, changed: Object.keys(patch) };
      return { result, entry: { action: "subnet.updated", object: `subnet:${id}`, detail } };
    });
  }

  /** What was found in it stays. @throws PortolanError NOT_FOUND, IN_USE */
  async delete(id: number, actor: string): Promise<void> {
    await writeCatalogue(this.deps, actor, async (session) => {
      const { name } = requireRow("subnets", id, await findSubnet(session, id));
      await deleteSubnet(session, id);
      return {
        result: undefined,
        entry: { action: "subnet.deleted", object: `subnet:${id}`, detail: { name } },
      };
    });
  }
}

/** For a session that holds the lock of the catalogue. @returns its id. @throws as `Subnets.create` */
export async function createSubnet(session: Session, request: SubnetRequest, actor: string): Promise<number> {
  const { hosts, cidr } = readSubnet(request.cidr, request.exclusions);
  await requireFreeName(session, "subnets", request.name);
  await requireRoom(session, "subnets");
  const scannerIds = await requireReferences(session, "scannerIds", "scanners", request.scannerIds);
  const groupIds = await requireReferences(session, "groupIds", "scanner_groups", request.groupIds);
  const [id] = await insertSubnets(session, [{ ...columns(request, cidr, hosts), created_by: actor }]);
  if (id === undefined) throw new Error("the subnet was inserted without an id");
  await replaceLinks(session, LINKS.subnetScanners, id, scannerIds);
  await replaceLinks(session, LINKS.subnetGroups, id, groupIds);
  return id;
}

async function createSubnets(
  session: Session,
  requests: readonly SubnetRequest[],
  actor: string,
): Promise<number[]> {
  const taken = new Set(await listNames(session, "subnets"));
  const rows = requests.map((request, i) => {
    const path = `subnets.${i}.`;
    const { hosts, cidr } = readSubnet(request.cidr, request.exclusions, path);
    if (taken.has(request.name)) {
      throw fieldError("CONFLICT", `${path}name`, request.name, "there is a subnet of this name already");
    }
    taken.add(request.name);
    return { ...columns(request, cidr, hosts), created_by: actor };
  });
  await requireRoom(session, "subnets", rows.length);
  const scannerIds = requests.flatMap((request) => request.scannerIds);
  await requireReferences(session, "subnets.scannerIds", "scanners", [...new Set(scannerIds)]);
  const groupIds = requests.flatMap((request) => request.groupIds);
  await requireReferences(session, "subnets.groupIds", "scanner_groups", [...new Set(groupIds)]);
  const ids = await insertSubnets(session, rows);
  const link = (to: Link, idsOf: (request: SubnetRequest) => readonly number[]): Promise<void> =>
    insertLinks(
      session,
      to,
      ids.flatMap((from_id, i) => {
        const request = requests[i];
        const targets = request === undefined ? [] : [...new Set(idsOf(request))];
        return targets.map((to_id) => ({ from_id, to_id }));
      }),
    );
  await link(LINKS.subnetScanners, (request) => request.scannerIds);
  await link(LINKS.subnetGroups, (request) => request.groupIds);
  return ids;
}

/** For a session that holds the lock of the catalogue. @throws as `Subnets.patch` */
export async function changeSubnet(session: Session, id: number, patch: SubnetPatch): Promise<void> {
  const row = requireRow("subnets", id, await findSubnet(session, id));
  const merged = {
    name: patch.name ?? row.name,
    description: patch.description ?? row.description,
    rateLimit: patch.rateLimit ?? row.rate_limit,
    exclusions: patch.exclusions ?? readJson(textsSchema, row.exclusions),
  };
  const { hosts, cidr } = readSubnet(patch.cidr ?? row.cidr, merged.exclusions);
  await requireFreeName(session, "subnets", merged.name, id);
  await updateSubnet(session, id, columns(merged, cidr, hosts));
  if (patch.scannerIds !== undefined) {
    const ids = await requireReferences(session, "scannerIds", "scanners", patch.scannerIds);
    await replaceLinks(session, LINKS.subnetScanners, id, ids);
  }
  if (patch.groupIds !== undefined) {
    const ids = await requireReferences(session, "groupIds", "scanner_groups", patch.groupIds);
    await replaceLinks(session, LINKS.subnetGroups, id, ids);
  }
}

/** For a session that holds the lock of the catalogue. @throws PortolanError IN_USE */
export async function deleteSubnet(session: Session, id: number): Promise<void> {
  await requireUnused(session, "subnets", id);
  await deleteLinks(session, LINKS.subnetScanners, id);
  await deleteLinks(session, LINKS.subnetGroups, id);
  await markCatalogueRowDeleted(session, "subnets", id);
}

function columns(
  request: Pick<SubnetRequest, "name" | "description" | "exclusions" | "rateLimit">,
  cidr: string,
  hosts: number,
): SubnetChange {
  return {
    name: request.name,
    description: request.description,
    cidr,
    exclusions: JSON.stringify(request.exclusions),
    hosts,
    rate_limit: request.rateLimit,
  };
}

async function viewSubnet(session: Session, id: number): Promise<SubnetView> {
  const [view] = await viewSubnets(session, [requireRow("subnets", id, await findSubnet(session, id))]);
  return requireRow("subnets", id, view);
}

async function viewSubnets(session: Session, rows: readonly SubnetRow[]): Promise<SubnetView[]> {
  const ids = rows.map(({ id }) => id);
  const scanners = await listLinks(session, LINKS.subnetScanners, ids);
  const groups = await listLinks(session, LINKS.subnetGroups, ids);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    description: row.description,
    cidr: row.cidr,
    exclusions: readJson(textsSchema, row.exclusions),
    hosts: row.hosts,
    rateLimit: row.rate_limit,
    scannerIds: scanners.get(row.id) ?? [],
    groupIds: groups.get(row.id) ?? [],
    createdBy: row.created_by,
    createdAt: isoTime(row.created_at),
    updatedAt: isoTime(row.updated_at),
  }));
}
