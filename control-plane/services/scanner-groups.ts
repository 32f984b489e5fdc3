/** Scanner groups: scanners that look at the same targets, each as a vantage point of its own. */

import type { Log } from "#shared/log.ts";
import type { CatalogueQuery } from "#shared/protocol/catalogue.ts";
import type {
  ScannerGroupPatch,
  ScannerGroupRequest,
  ScannerGroupView,
} from "#shared/protocol/scanner-groups.ts";
import { markCatalogueRowDeleted } from "../store/catalogue.ts";
import { deleteLinks, LINKS, listLinks, replaceLinks } from "../store/links.ts";
import {
  findScannerGroup,
  insertScannerGroup,
  listScannerGroups,
  type ScannerGroupRow,
  updateScannerGroup,
} from "../store/scanner-groups.ts";
import type { Session, Store } from "../store/store.ts";
import {
  requireFreeName,
  requireReferences,
  requireRoom,
  requireRow,
  requireUnused,
  writeCatalogue,
} from "./catalogue-rules.ts";
import { type Page, pageOf } from "./page.ts";
import { isoTime } from "./time.ts";

export class ScannerGroups {
  private readonly deps: { readonly store: Store; readonly log: Log };

  constructor(store: Store, log: Log) {
    this.deps = { store, log };
  }

  async list({ limit, cursor, q }: CatalogueQuery): Promise<Page<ScannerGroupView>> {
    return this.deps.store.run(async (session) => {
      const page = pageOf(await listScannerGroups(session, { limit: limit + 1, after: cursor, q }), limit);
      return { ...page, rows: await viewGroups(session, page.rows) };
    });
  }

  /** @throws PortolanError NOT_FOUND */
  async get(id: number): Promise<ScannerGroupView> {
    return this.deps.store.run((session) => viewGroup(session, id));
  }

  /** @throws PortolanError INVALID_REQUEST for the scanners, CONFLICT, LIMIT_REACHED */
  async create(request: ScannerGroupRequest, actor: string): Promise<ScannerGroupView> {
    return writeCatalogue(this.deps, actor, async (session) => {
      await requireFreeName(session, "scanner_groups", request.name);
      await requireRoom(session, "scanner_groups");
      const members = await requireReferences(session, "scannerIds", "scanners", request.scannerIds);
      const { name, description } = request;
      const id = await insertScannerGroup(session, { name, description, created_by: actor });
      await replaceLinks(session, LINKS.groupMembers, id, members);
      const result = await viewGroup(session, id);
      const detail = { name, scannerIds: members };
      return { result, entry: { action: "scanner-group.created", object: `scanner-group:${id}`, detail } };
    });
  }

  /** Replaces all of it. @throws PortolanError NOT_FOUND, and as `create` */
  async replace(id: number, request: ScannerGroupRequest, actor: string): Promise<ScannerGroupView> {
    return this.patch(id, request, actor);
  }

  /** Changes what is given. Scans that were started before go on with the members they had. @throws as `replace` */
  async patch(id: number, patch: ScannerGroupPatch, actor: string): Promise<ScannerGroupView> {
    return writeCatalogue(this.deps, actor, async (session) => {
      const row = requireRow("scanner_groups", id, await findScannerGroup(session, id));
      const name = patch.name ?? row.name;
      await requireFreeName(session, "scanner_groups", name, id);
      await updateScannerGroup(session, id, { name, description: patch.description ?? row.description });
      if (patch.scannerIds !== undefined) {
        const members = await requireReferences(session, "scannerIds", "scanners", patch.scannerIds);
        await replaceLinks(session, LINKS.groupMembers, id, members);
      }
      const result = await viewGroup(session, id);
      const detail = { name, scannerIds: result.scannerIds, changed: Object.keys(patch) };
      return { result, entry: { action: "scanner-group.updated", object: `scanner-group:${id}`, detail } };
    });
  }

  /** @throws PortolanError NOT_FOUND, IN_USE */
  async delete(id: number, actor: string): Promise<void> {
    await writeCatalogue(this.deps, actor, async (session) => {
      const { name } = requireRow("scanner_groups", id, await findScannerGroup(session, id));
      await requireUnused(session, "scanner_groups", id);
      await deleteLinks(session, LINKS.groupMembers, id);
      await markCatalogueRowDeleted(session, "scanner_groups", id);
      const entry = { action: "scanner-group.deleted", object: `scanner-group:${id}`, detail: { name } };
      return { result: undefined, entry };
    });
  }
}

async function viewGroup(session: Session, id: number): Promise<ScannerGroupView> {
  const row = requireRow("scanner_groups", id, await findScannerGroup(session, id));
  const [view] = await viewGroups(session, [row]);
  return requireRow("scanner_groups", id, view);
}

async function viewGroups(session: Session, rows: readonly ScannerGroupRow[]): Promise<ScannerGroupView[]> {
  const members = await listLinks(
    session,
    LINKS.groupMembers,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    description: row.description,
    scannerIds: members.get(row.id) ?? [],
    createdBy: row.created_by,
    createdAt: isoTime(row.created_at),
    updatedAt: isoTime(row.updated_at),
  }));
}
