/** Scan templates as they are shown. */

import { countAddresses } from "#shared/net/address-set.ts";
import { jobOptionsSchema } from "#shared/protocol/job.ts";
import type {
  ScanTemplateItem,
  ScanTemplatePreview,
  ScanTemplateRequest,
  ScanTemplateView,
} from "#shared/protocol/scan-templates.ts";
import { countExpectedResults } from "../store/expected-results.ts";
import { countLinks, LINKS, listLinks } from "../store/links.ts";
import { listRateLimits } from "../store/scanner-limits.ts";
import { findScanTemplate, type ScanTemplateRow } from "../store/scan-templates.ts";
import type { Session } from "../store/store.ts";
import { requireRow } from "./catalogue-rules.ts";
import { readJson } from "./stored-json.ts";
import { isRunnable, loadTemplateScope, type SourceScope } from "./template-scope.ts";
import { countVantages, type LimitOf, templateTotals } from "./template-totals.ts";
import { isoTime } from "./time.ts";

/** Sources that a preview lists. */
const MAX_SOURCES_SHOWN = 100;

export type TemplateReferences = Pick<ScanTemplateRequest, "subnetIds" | "discoveryListIds" | "portListIds">;

/** @throws PortolanError NOT_FOUND */
export async function viewTemplate(session: Session, id: number): Promise<ScanTemplateView> {
  const row = requireRow("scan_templates", id, await findScanTemplate(session, id));
  const [item] = await viewItems(session, [row]);
  const scope = await loadTemplateScope(session, id, row.protocol);
  return {
    ...requireRow("scan_templates", id, item),
    ...(await listReferences(session, id)),
    ...templateTotals(scope, await scannerLimits(session)),
  };
}

/** Without what takes reading all that they refer to. */
export async function viewItems(
  session: Session,
  rows: readonly ScanTemplateRow[],
): Promise<ScanTemplateItem[]> {
  const ids = rows.map(({ id }) => id);
  const subnets = await countLinks(session, LINKS.templateSubnets, ids);
  const discoveryLists = await countLinks(session, LINKS.templateDiscoveryLists, ids);
  const portLists = await countLinks(session, LINKS.templatePortLists, ids);
  const expected = await countExpectedResults(session, ids);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    description: row.description,
    engine: row.engine,
    protocol: row.protocol,
    serviceDetection: row.service_detection === 1,
    ...readJson(jobOptionsSchema, row.options),
    subnets: subnets.get(row.id) ?? 0,
    discoveryLists: discoveryLists.get(row.id) ?? 0,
    portLists: portLists.get(row.id) ?? 0,
    expectedResults: expected.get(row.id) ?? 0,
    createdBy: row.created_by,
    createdAt: isoTime(row.created_at),
    updatedAt: isoTime(row.updated_at),
  }));
}

/** @throws PortolanError NOT_FOUND */
export async function viewPreview(session: Session, id: number): Promise<ScanTemplatePreview> {
  const template = requireRow("scan_templates", id, await findScanTemplate(session, id));
  const scope = await loadTemplateScope(session, id, template.protocol);
  const totals = templateTotals(scope, await scannerLimits(session));
  const unassigned = scope.sources.filter((source) => countVantages(source) === 0);
  return {
    ...totals,
    runnable: totals.ports > 0 && scope.sources.some(isRunnable),
    sources: scope.sources.slice(0, MAX_SOURCES_SHOWN).map(previewSource),
    sourceCount: scope.sources.length,
    unassigned: unassigned.slice(0, MAX_SOURCES_SHOWN).map(previewSource),
    unassignedCount: unassigned.length,
  };
}

/** Ids of all that the template refers to. */
export async function listReferences(session: Session, id: number): Promise<TemplateReferences> {
  const { templateSubnets, templateDiscoveryLists, templatePortLists } = LINKS;
  return {
    subnetIds: (await listLinks(session, templateSubnets, [id])).get(id) ?? [],
    discoveryListIds: (await listLinks(session, templateDiscoveryLists, [id])).get(id) ?? [],
    portListIds: (await listLinks(session, templatePortLists, [id])).get(id) ?? [],
  };
}

function previewSource(source: SourceScope) {
  return { ...source.source, hosts: countAddresses(source.addresses), vantages: countVantages(source) };
}

async function scannerLimits(session: Session): Promise<LimitOf> {
  const limits = await listRateLimits(session);
  return (scannerId) => limits.get(scannerId) ?? 0;
}
