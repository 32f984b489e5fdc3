/** Port lists: which ports to scan, and how fast they may be asked. */

import type { Log } from "#shared/log.ts";
import { countPorts, formatPorts, parsePorts } from "#shared/net/port-spec.ts";
import type { CatalogueQuery } from "#shared/protocol/catalogue.ts";
import { MAX_PORTS_PER_LIST } from "#shared/protocol/limits.ts";
import type {
  PortListItem,
  PortListPatch,
  PortListRequest,
  PortListView,
} from "#shared/protocol/port-lists.ts";
import { markCatalogueRowDeleted } from "../store/catalogue.ts";
import {
  findPortList,
  insertPortList,
  listPortLists,
  type PortListItemRow,
  updatePortList,
} from "../store/port-lists.ts";
import type { Session, Store } from "../store/store.ts";
import {
  requireFreeName,
  requireRoom,
  requireRow,
  requireUnused,
  writeCatalogue,
} from "./catalogue-rules.ts";
import { fieldError, readingField } from "./field-errors.ts";
import { type Page, pageOf } from "./page.ts";
import { isoTime } from "./time.ts";

export class PortLists {
  private readonly deps: { readonly store: Store; readonly log: Log };

  constructor(store: Store, log: Log) {
    this.deps = { store, log };
  }

  async list({ limit, cursor, q }: CatalogueQuery): Promise<Page<PortListItem>> {
    const rows = await this.deps.store.run((session) =>
      listPortLists(session, { limit: limit + 1, after: cursor, q }),
    );
    const page = pageOf(rows, limit);
    return { ...page, rows: page.rows.map(portListItem) };
  }

  /** @throws PortolanError NOT_FOUND */
  async get(id: number): Promise<PortListView> {
    return this.deps.store.run((session) => viewPortList(session, id));
  }

  /** @throws PortolanError INVALID_PORT, CONFLICT, LIMIT_REACHED */
  async create(request: PortListRequest, actor: string): Promise<PortListView> {
    return writeCatalogue(this.deps, actor, async (session) => {
      const id = await createPortList(session, request, actor);
      const result = await viewPortList(session, id);
      const detail = { name: result.name, ports: result.ports };
      return { result, entry: { action: "port-list.created", object: `port-list:${id}`, detail } };
    });
  }

  /** Replaces all of it. @throws PortolanError NOT_FOUND, and as `create` */
  async replace(id: number, request: PortListRequest, actor: string): Promise<PortListView> {
    return this.patch(id, request, actor);
  }

  /** Changes what is given. Scans that were started before go on as they were. @throws as `replace` */
  async patch(id: number, patch: PortListPatch, actor: string): Promise<PortListView> {
    return writeCatalogue(this.deps, actor, async (session) => {
      await changePortList(session, id, patch);
      const result = await viewPortList(session, id);
      const detail = { name: result.name, ports: result.ports, changed: Object.keys(patch) };
      return { result, entry: { action: "port-list.updated", object: `port-list:${id}`, detail } };
    });
  }

  /** @throws PortolanError NOT_FOUND, IN_USE */
  async delete(id: number, actor: string): Promise<void> {
    await writeCatalogue(this.deps, actor, async (session) => {
      const { name } = requireRow("port_lists", id, await findPortList(session, id));
      await deletePortList(session, id);
      const entry = { action: "port-list.deleted", object: `port-list:${id}`, detail: { name } };
      return { result: undefined, entry };
    });
  }
}

/**
 * For a session that holds the lock of the catalogue.
 * @param field what errors call the specification
 * @returns its id
 * @throws as `PortLists.create`
 */
export async function createPortList(
  session: Session,
  request: PortListRequest,
  actor: string,
  field = "spec",
): Promise<number> {
  const ports = readSpec(request.spec, field);
  await requireFreeName(session, "port_lists", request.name);
  await requireRoom(session, "port_lists");
  return insertPortList(session, {
    name: request.name,
    description: request.description,
    rate_limit: request.rateLimit,
    ...ports,
    created_by: actor,
  });
}

/** For a session that holds the lock of the catalogue. @throws as `PortLists.patch` */
export async function changePortList(
  session: Session,
  id: number,
  patch: PortListPatch,
  field = "spec",
): Promise<void> {
  const row = requireRow("port_lists", id, await findPortList(session, id));
  const ports = readSpec(patch.spec ?? row.spec, field);
  const name = patch.name ?? row.name;
  await requireFreeName(session, "port_lists", name, id);
  await updatePortList(session, id, {
    name,
    description: patch.description ?? row.description,
    rate_limit: patch.rateLimit ?? row.rate_limit,
    ...ports,
  });
}

/** For a session that holds the lock of the catalogue. @throws PortolanError IN_USE */
export async function deletePortList(session: Session, id: number): Promise<void> {
  await requireUnused(session, "port_lists", id);
  await markCatalogueRowDeleted(session, "port_lists", id);
}

function readSpec(spec: string, field: string): { spec: string; canonical: string; ports: number } {
  const set = readingField(field, () => parsePorts(spec));
  const ports = countPorts(set);
  if (ports > MAX_PORTS_PER_LIST) {
    const why = `a list has at most ${MAX_PORTS_PER_LIST} ports, TCP and UDP together; these are ${ports}`;
    throw fieldError("LIMIT_REACHED", field, spec, why);
  }
  return { spec, canonical: formatPorts(set), ports };
}

async function viewPortList(session: Session, id: number): Promise<PortListView> {
  const row = requireRow("port_lists", id, await findPortList(session, id));
  return { ...portListItem(row), spec: row.spec, canonical: row.canonical };
}

function portListItem(row: PortListItemRow): PortListItem {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    ports: row.ports,
    rateLimit: row.rate_limit,
    createdBy: row.created_by,
    createdAt: isoTime(row.created_at),
    updatedAt: isoTime(row.updated_at),
  };
}
