/** Scan templates: what to scan with what, and how. What a template means now is told by `template-scope.ts`. */

import type { Log } from "#shared/log.ts";
import type { CatalogueQuery, UsedBy } from "#shared/protocol/catalogue.ts";
import { type JobOptions, jobOptionsSchema } from "#shared/protocol/job.ts";
import { MAX_TEMPLATE_PARTS } from "#shared/protocol/limits.ts";
import type {
  ScanTemplateItem,
  ScanTemplatePatch,
  ScanTemplatePreview,
  ScanTemplateRequest,
  ScanTemplateView,
} from "#shared/protocol/scan-templates.ts";
import { markCatalogueRowDeleted } from "../store/catalogue.ts";
import { listUses } from "../store/catalogue-uses.ts";
import { deleteExpectedResults } from "../store/expected-results.ts";
import { deleteLinks, LINKS, replaceLinks } from "../store/links.ts";
import {
  findScanTemplate,
  insertScanTemplate,
  listScanTemplates,
  type ScanTemplateChange,
  updateScanTemplate,
} from "../store/scan-templates.ts";
import type { Session, Store } from "../store/store.ts";
import {
  refuseUses,
  requireFreeName,
  requireReferences,
  requireRoom,
  requireRow,
  writeCatalogue,
} from "./catalogue-rules.ts";
import { fieldError } from "./field-errors.ts";
import { type Page, pageOf } from "./page.ts";
import { refusal } from "./refusal.ts";
import {
  listReferences,
  type TemplateReferences,
  viewItems,
  viewPreview,
  viewTemplate,
} from "./scan-template-view.ts";
import { readJson } from "./stored-json.ts";

const MAX_USES_SHOWN = 20;

export class ScanTemplates {
  private readonly deps: { readonly store: Store; readonly log: Log };

  constructor(store: Store, log: Log) {
    this.deps = { store, log };
  }

  async list({ limit, cursor, q }: CatalogueQuery): Promise<Page<ScanTemplateItem>> {
    return this.deps.store.run(async (session) => {
      const page = pageOf(await listScanTemplates(session, { limit: limit + 1, after: cursor, q }), limit);
      return { ...page, rows: await viewItems(session, page.rows) };
    });
  }

  /** @throws PortolanError NOT_FOUND */
  async get(id: number): Promise<ScanTemplateView> {
    return this.deps.store.run((session) => viewTemplate(session, id));
  }

  /** @throws PortolanError INVALID_REQUEST for what it refers to, SCOPE_TOO_LARGE, CONFLICT, LIMIT_REACHED */
  async create(request: ScanTemplateRequest, actor: string): Promise<ScanTemplateView> {
    return writeCatalogue(this.deps, actor, async (session) => {
      const id = await createScanTemplate(session, request, actor);
      const result = await viewTemplate(session, id);
      const entry = { action: "scan-template.created", object: `scan-template:${id}`, detail: facts(result) };
      return { result, entry };
    });
  }

  /** Replaces all of it but the expected results. @throws PortolanError NOT_FOUND, and as `create` */
  async replace(id: number, request: ScanTemplateRequest, actor: string): Promise<ScanTemplateView> {
    return this.patch(id, request, actor);
  }

  /** Changes what is given. Scans that were started before go on as they were. @throws as `replace` */
  async patch(id: number, patch: ScanTemplatePatch, actor: string): Promise<ScanTemplateView> {
    return writeCatalogue(this.deps, actor, async (session) => {
      await changeScanTemplate(session, id, patch);
      const result = await viewTemplate(session, id);
      const detail = { ...facts(result), changed: Object.keys(patch) };
      return { result, entry: { action: "scan-template.updated", object: `scan-template:${id}`, detail } };
    });
  }

  /** Its expected results go with it; its scans stay. @throws PortolanError NOT_FOUND, IN_USE */
  async delete(id: number, actor: string): Promise<void> {
    await writeCatalogue(this.deps, actor, async (session) => {
      const { name } = requireRow("scan_templates", id, await findScanTemplate(session, id));
      await requireUnusedTemplate(session, id);
      await deleteScanTemplate(session, id);
      const entry = { action: "scan-template.deleted", object: `scan-template:${id}`, detail: { name } };
      return { result: undefined, entry };
    });
  }

  /** What a run would do now. @throws PortolanError NOT_FOUND */
  async preview(id: number): Promise<ScanTemplatePreview> {
    return this.deps.store.run((session) => viewPreview(session, id));
  }
}

/** For a session that holds the lock of the catalogue. @returns its id. @throws as `ScanTemplates.create` */
export async function createScanTemplate(
  session: Session,
  request: ScanTemplateRequest,
  actor: string,
): Promise<number> {
  await requireFreeName(session, "scan_templates", request.name);
  await requireRoom(session, "scan_templates");
  const references = await readReferences(session, request);
  const id = await insertScanTemplate(session, { ...columns(request), created_by: actor });
  await writeReferences(session, id, references);
  return id;
}

/** For a session that holds the lock of the catalogue. @throws as `ScanTemplates.patch` */
export async function changeScanTemplate(
  session: Session,
  id: number,
  patch: ScanTemplatePatch,
): Promise<void> {
  const row = requireRow("scan_templates", id, await findScanTemplate(session, id));
  const options = readJson(jobOptionsSchema, row.options);
  const name = patch.name ?? row.name;
  await requireFreeName(session, "scan_templates", name, id);
  const change = columns({
    name,
    description: patch.description ?? row.description,
    engine: patch.engine ?? row.engine,
    protocol: patch.protocol ?? row.protocol,
    serviceDetection: patch.serviceDetection ?? row.service_detection === 1,
    scanTimeoutSeconds: patch.scanTimeoutSeconds ?? options.scanTimeoutSeconds,
    portTimeoutMs: patch.portTimeoutMs ?? options.portTimeoutMs,
    retries: patch.retries ?? options.retries,
    reportStates: patch.reportStates ?? options.reportStates,
  });
  await updateScanTemplate(session, id, change);
  const { subnetIds, discoveryListIds, portListIds } = patch;
  if ((subnetIds ?? discoveryListIds ?? portListIds) === undefined) return;
  const present = await listReferences(session, id);
  const references = await readReferences(session, {
    subnetIds: subnetIds ?? present.subnetIds,
    discoveryListIds: discoveryListIds ?? present.discoveryListIds,
    portListIds: portListIds ?? present.portListIds,
  });
  await writeReferences(session, id, references);
}

/** For a session that holds the lock of the catalogue, when nothing uses it. */
export async function deleteScanTemplate(session: Session, id: number): Promise<void> {
  await deleteLinks(session, LINKS.templateSubnets, id);
  await deleteLinks(session, LINKS.templateDiscoveryLists, id);
  await deleteLinks(session, LINKS.templatePortLists, id);
  await deleteExpectedResults(session, id);
  await markCatalogueRowDeleted(session, "scan_templates", id);
}

/** @param besides a use that does not count. @throws PortolanError IN_USE */
export async function requireUnusedTemplate(
  session: Session,
  id: number,
  besides?: UsedBy["kind"],
): Promise<void> {
  const uses = await listUses(session, "scan_templates", id, MAX_USES_SHOWN);
  refuseUses(
    "scan_templates",
    id,
    uses.filter(({ kind }) => kind !== besides),
  );
}

async function readReferences(session: Session, wanted: TemplateReferences): Promise<TemplateReferences> {
  const sources = wanted.subnetIds.length + wanted.discoveryListIds.length;
  if (sources === 0) {
    const why = "name at least one subnet or discovery list";
    throw fieldError("INVALID_REQUEST", "subnetIds", "[]", why);
  }
  const parts = sources * wanted.portListIds.length;
  if (parts > MAX_TEMPLATE_PARTS) {
    throw refusal(
      "SCOPE_TOO_LARGE",
      `subnets and discovery lists times port lists make ${parts} parts, and at most ${MAX_TEMPLATE_PARTS} are possible; ` +
        "join port lists, or make several templates",
      { field: "portListIds", parts, limit: MAX_TEMPLATE_PARTS },
    );
  }
  return {
    subnetIds: await requireReferences(session, "subnetIds", "subnets", wanted.subnetIds),
    discoveryListIds: await requireReferences(
      session,
      "discoveryListIds",
      "discovery_lists",
      wanted.discoveryListIds,
    ),
    portListIds: await requireReferences(session, "portListIds", "port_lists", wanted.portListIds),
  };
}

async function writeReferences(session: Session, id: number, references: TemplateReferences): Promise<void> {
  await replaceLinks(session, LINKS.templateSubnets, id, references.subnetIds);
  await replaceLinks(session, LINKS.templateDiscoveryLists, id, references.discoveryListIds);
  await replaceLinks(session, LINKS.templatePortLists, id, references.portListIds);
}

function columns(
  settings: Omit<ScanTemplateRequest, keyof TemplateReferences>,
): Omit<ScanTemplateChange, "created_by"> {
  const options: JobOptions = {
    retries: settings.retries,
    portTimeoutMs: settings.portTimeoutMs,
    scanTimeoutSeconds: settings.scanTimeoutSeconds,
    reportStates: settings.reportStates,
  };
  return {
    name: settings.name,
    description: settings.description,
    engine: settings.engine,
    protocol: settings.protocol,
    service_detection: settings.serviceDetection ? 1 : 0,
    options: JSON.stringify(options),
  };
}

/** What the audit log notes. */
function facts(view: ScanTemplateView): Readonly<Record<string, unknown>> {
  const { name, engine, subnets, discoveryLists, portLists, hosts, ports } = view;
  return { name, engine, subnets, discoveryLists, portLists, hosts, ports };
}
