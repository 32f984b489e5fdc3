/** Discovery lists as operators configure them. What scripts push into them is in `discovery-push.ts`. */

import type { Log } from "#shared/log.ts";
import type { CatalogueQuery } from "#shared/protocol/catalogue.ts";
import type {
  DiscoveryListEnsure,
  DiscoveryListPatch,
  DiscoveryListRequest,
  DiscoveryListView,
} from "#shared/protocol/discovery.ts";
import { findIdByName, markCatalogueRowDeleted } from "../store/catalogue.ts";
import { deleteAllAddresses } from "../store/discovery-addresses.ts";
import {
  type DiscoveryListRow,
  findDiscoveryList,
  insertDiscoveryList,
  listDiscoveryLists,
  updateDiscoveryList,
} from "../store/discovery-lists.ts";
import { deleteLinks, LINKS, listLinks, replaceLinks } from "../store/links.ts";
import type { Session, Store } from "../store/store.ts";
import {
  requireFreeName,
  requireReferences,
  requireRoom,
  requireRow,
  requireUnused,
  writeCatalogue,
  type Written,
} from "./catalogue-rules.ts";
import { fieldError } from "./field-errors.ts";
import { type Page, pageOf } from "./page.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

export interface EnsuredList {
  readonly list: DiscoveryListView;
  readonly isNew: boolean;
}

export class DiscoveryLists {
  private readonly deps: { readonly store: Store; readonly log: Log };

  constructor(store: Store, log: Log) {
    this.deps = { store, log };
  }

  async list({ limit, cursor, q }: CatalogueQuery): Promise<Page<DiscoveryListView>> {
    return this.deps.store.run(async (session) => {
      const page = pageOf(await listDiscoveryLists(session, { limit: limit + 1, after: cursor, q }), limit);
      return { ...page, rows: await viewLists(session, page.rows) };
    });
  }

  /** @throws PortolanError NOT_FOUND */
  async get(id: number): Promise<DiscoveryListView> {
    return this.deps.store.run((session) => viewList(session, id));
  }

  /** @throws PortolanError INVALID_REQUEST for scanners and groups, CONFLICT, LIMIT_REACHED */
  async create(request: DiscoveryListRequest, actor: string): Promise<DiscoveryListView> {
    return writeCatalogue(this.deps, actor, async (session) => {
      const id = await createList(session, request, actor);
      return { result: await viewList(session, id), entry: created(id, request.name) };
    });
  }

  /**
   * Makes the list unless there is one of this name, and assigns the scanner unless it is assigned.
   * @returns whether it was made now
   * @throws PortolanError INVALID_REQUEST for the scanner, LIMIT_REACHED
   */
  async ensure({ name, scannerName }: DiscoveryListEnsure, actor: string): Promise<EnsuredList> {
    return writeCatalogue(this.deps, actor, async (session): Promise<Written<EnsuredList>> => {
      const scannerIds = scannerName === undefined ? [] : [await requireScannerNamed(session, scannerName)];
      const id = await findIdByName(session, "discovery_lists", name);
      if (id === undefined) {
        const request = { name, description: "", rateLimit: 0, scannerIds, groupIds: [] };
        const newId = await createList(session, request, actor);
        return {
          result: { list: await viewList(session, newId), isNew: true },
          entry: created(newId, name),
        };
      }
      const assigned = await listLinks(session, LINKS.discoveryScanners, [id]);
      const both = new Set([...(assigned.get(id) ?? []), ...scannerIds]);
      await replaceLinks(session, LINKS.discoveryScanners, id, [...both]);
      const detail = { name, scannerIds: [...both] };
      return {
        result: { list: await viewList(session, id), isNew: false },
        entry: { action: "discovery-list.assigned", object: `discovery-list:${id}`, detail },
      };
    });
  }

  /** Replaces all of it but the addresses. @throws PortolanError NOT_FOUND, and as `create` */
  async replace(id: number, request: DiscoveryListRequest, actor: string): Promise<DiscoveryListView> {
    return this.patch(id, request, actor);
  }

  /** Changes what is given. @throws as `replace` */
  async patch(id: number, patch: DiscoveryListPatch, actor: string): Promise<DiscoveryListView> {
    return writeCatalogue(this.deps, actor, async (session) => {
      const row = requireRow("discovery_lists", id, await findDiscoveryList(session, id));
      const name = patch.name ?? row.name;
      await requireFreeName(session, "discovery_lists", name, id);
      await updateDiscoveryList(session, id, {
        name,
        description: patch.description ?? row.description,
        rate_limit: patch.rateLimit ?? row.rate_limit,
      });
      await assign(session, id, patch);
      const result = await viewList(session, id);
      const detail = { name, changed: Object.keys(patch) };
      return { result, entry: { action: "discovery-list.updated", object: `discovery-list:${id}`, detail } };
    });
  }

  /** Its addresses go with it. @throws PortolanError NOT_FOUND, IN_USE */
  async delete(id: number, actor: string): Promise<void> {
    await writeCatalogue(this.deps, actor, async (session) => {
      const { name } = requireRow("discovery_lists", id, await findDiscoveryList(session, id));
      await requireUnused(session, "discovery_lists", id);
      await deleteLinks(session, LINKS.discoveryScanners, id);
      await deleteLinks(session, LINKS.discoveryGroups, id);
      await deleteAllAddresses(session, id);
      await markCatalogueRowDeleted(session, "discovery_lists", id);
      const entry = { action: "discovery-list.deleted", object: `discovery-list:${id}`, detail: { name } };
      return { result: undefined, entry };
    });
  }
}

function created(id: number, name: string) {
  return { action: "discovery-list.created", object: `discovery-list:${id}`, detail: { name } };
}

async function requireScannerNamed(session: Session, name: string): Promise<number> {
  const id = await findIdByName(session, "scanners", name);
  if (id === undefined) {
    throw fieldError("INVALID_REQUEST", "scannerName", name, `there is no scanner '${name}'`);
  }
  return id;
}

async function createList(session: Session, request: DiscoveryListRequest, actor: string): Promise<number> {
  await requireFreeName(session, "discovery_lists", request.name);
  await requireRoom(session, "discovery_lists");
  const id = await insertDiscoveryList(session, {
    name: request.name,
    description: request.description,
    rate_limit: request.rateLimit,
    created_by: actor,
  });
  await assign(session, id, request);
  return id;
}

async function assign(
  session: Session,
  id: number,
  { scannerIds, groupIds }: Pick<DiscoveryListPatch, "scannerIds" | "groupIds">,
): Promise<void> {
  if (scannerIds !== undefined) {
    const ids = await requireReferences(session, "scannerIds", "scanners", scannerIds);
    await replaceLinks(session, LINKS.discoveryScanners, id, ids);
  }
  if (groupIds !== undefined) {
    const ids = await requireReferences(session, "groupIds", "scanner_groups", groupIds);
    await replaceLinks(session, LINKS.discoveryGroups, id, ids);
  }
}

async function viewList(session: Session, id: number): Promise<DiscoveryListView> {
  const row = requireRow("discovery_lists", id, await findDiscoveryList(session, id));
  const [view] = await viewLists(session, [row]);
  return requireRow("discovery_lists", id, view);
}

async function viewLists(session: Session, rows: readonly DiscoveryListRow[]): Promise<DiscoveryListView[]> {
  const ids = rows.map(({ id }) => id);
  const scanners = await listLinks(session, LINKS.discoveryScanners, ids);
  const groups = await listLinks(session, LINKS.discoveryGroups, ids);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    description: row.description,
    rateLimit: row.rate_limit,
    scannerIds: scanners.get(row.id) ?? [],
    groupIds: groups.get(row.id) ?? [],
    addresses: row.addresses,
    lastPushAt: isoTimeOrNull(row.last_push_at),
    createdBy: row.created_by,
    createdAt: isoTime(row.created_at),
    updatedAt: isoTime(row.updated_at),
  }));
}
