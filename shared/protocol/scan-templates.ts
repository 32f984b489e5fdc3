/** Scan templates: (subnets and discovery lists) times port lists, how to scan them, and what is expected. */

import { z } from "zod";
import {
  catalogueNameSchema,
  catalogueViewFields,
  descriptionSchema,
  nextCursorSchema,
} from "./catalogue.ts";
import { idSchema, portStateSchema, protocolSchema } from "./fields.ts";
import { jobOptionsSchema, scanEngineSchema } from "./job.ts";
import {
  DEFAULT_PORT_TIMEOUT_MS,
  DEFAULT_RETRIES,
  DEFAULT_SCAN_TIMEOUT_SECONDS,
  MAX_DISCOVERY_LISTS_PER_TEMPLATE,
  MAX_EXPECTED_RESULTS,
  MAX_EXPECTED_RESULTS_PER_CALL,
  MAX_PORT_LISTS_PER_TEMPLATE,
  MAX_SUBNETS,
  MAX_TARGET_LENGTH,
} from "./limits.ts";

/** Which ports of the port lists are scanned. */
export const scanProtocolSchema = z.enum(["tcp", "udp", "both"]);
export type ScanProtocol = z.infer<typeof scanProtocolSchema>;

const references = {
  subnetIds: z.array(idSchema).max(MAX_SUBNETS),
  discoveryListIds: z.array(idSchema).max(MAX_DISCOVERY_LISTS_PER_TEMPLATE),
  portListIds: z.array(idSchema).min(1).max(MAX_PORT_LISTS_PER_TEMPLATE),
};

const settings = {
  name: catalogueNameSchema,
  description: descriptionSchema,
  engine: scanEngineSchema,
  protocol: scanProtocolSchema,
  serviceDetection: z.boolean(),
  scanTimeoutSeconds: jobOptionsSchema.shape.scanTimeoutSeconds,
  portTimeoutMs: jobOptionsSchema.shape.portTimeoutMs,
  retries: jobOptionsSchema.shape.retries,
  reportStates: jobOptionsSchema.shape.reportStates,
};

/** `POST /api/config/scan-templates`, and `PUT …/:id`, which replaces all of it but the expected results. */
export const scanTemplateRequestSchema = z.strictObject({
  ...settings,
  ...references,
  description: settings.description.default(""),
  engine: settings.engine.default("syn"),
  protocol: settings.protocol.default("both"),
  serviceDetection: settings.serviceDetection.default(false),
  scanTimeoutSeconds: settings.scanTimeoutSeconds.default(DEFAULT_SCAN_TIMEOUT_SECONDS),
  portTimeoutMs: settings.portTimeoutMs.default(DEFAULT_PORT_TIMEOUT_MS),
  retries: settings.retries.default(DEFAULT_RETRIES),
  reportStates: settings.reportStates.default(["open"]),
  subnetIds: references.subnetIds.default([]),
  discoveryListIds: references.discoveryListIds.default([]),
});
export type ScanTemplateRequest = z.output<typeof scanTemplateRequestSchema>;

/** `PATCH /api/config/scan-templates/:id`; what is absent stays as it is. */
export const scanTemplatePatchSchema = z.strictObject({ ...settings, ...references }).partial();
export type ScanTemplatePatch = z.output<typeof scanTemplatePatchSchema>;

const count = z.int().min(0);

/** How much there is to scan. Overlaps count once; exact up to 2⁵³. */
const totals = {
  /** Distinct addresses. */
  hosts: z.number().min(0),
  /** Distinct ports of both protocols. */
  ports: count,
  /** Hosts times ports: what one vantage point that scans all of it asks. */
  probes: z.number().min(0),
  /** How long the first probes take at the rates that apply; null where some of it has no limit. */
  estimatedSeconds: z.number().min(0).nullable(),
};

export const scanTemplateItemSchema = z.object({
  ...catalogueViewFields,
  ...settings,
  subnets: count,
  discoveryLists: count,
  portLists: count,
  expectedResults: count,
});
export type ScanTemplateItem = z.infer<typeof scanTemplateItemSchema>;

export const scanTemplateListSchema = z.object({
  scanTemplates: z.array(scanTemplateItemSchema),
  nextCursor: nextCursorSchema,
});

export const scanTemplateViewSchema = scanTemplateItemSchema.extend({ ...references, ...totals });
export type ScanTemplateView = z.infer<typeof scanTemplateViewSchema>;

/** A subnet or discovery list, as a preview shows it. */
const previewSourceSchema = z.object({
  kind: z.enum(["subnet", "discovery"]),
  id: idSchema,
  name: z.string(),
  hosts: z.number().min(0),
  /** Vantage points it is scanned from: its own scanners as one, and each member of its groups. */
  vantages: count,
});

/** `POST /api/config/scan-templates/:id/preview`: what a run would do now. */
export const scanTemplatePreviewSchema = z.object({
  ...totals,
  /** False where a run would be refused with TEMPLATE_EMPTY. */
  runnable: z.boolean(),
  /** The first of them. */
  sources: z.array(previewSourceSchema),
  sourceCount: count,
  /** Sources that no scanner is assigned to, the first of them: a run leaves them out. */
  unassigned: z.array(previewSourceSchema),
  unassignedCount: count,
});
export type ScanTemplatePreview = z.infer<typeof scanTemplatePreviewSchema>;

export const expectedResultSchema = z.strictObject({
  address: z.string().min(1).max(MAX_TARGET_LENGTH),
  protocol: protocolSchema.default("tcp"),
  port: z.int().min(1).max(65_535),
  state: portStateSchema.default("open"),
});
export type ExpectedResultRequest = z.output<typeof expectedResultSchema>;

/** `POST …/:id/expected` adds these, or changes the state where there is one; `PUT` replaces all by these. */
export const expectedResultsRequestSchema = z.strictObject({
  results: z.array(expectedResultSchema).max(MAX_EXPECTED_RESULTS_PER_CALL),
});

export const expectedResultChangeSchema = z.strictObject({ state: portStateSchema });

export const expectedResultViewSchema = z.object({
  id: idSchema,
  address: z.string(),
  protocol: protocolSchema,
  port: z.int().min(1).max(65_535),
  state: portStateSchema,
});
export type ExpectedResultView = z.infer<typeof expectedResultViewSchema>;

export const expectedResultListSchema = z.object({
  results: z.array(expectedResultViewSchema),
  nextCursor: nextCursorSchema,
});

/** `POST …/:id/expected/import?mode=add|replace` with CSV: `address,protocol,port,state`. */
export const expectedImportQuerySchema = z.object({ mode: z.enum(["add", "replace"]).default("add") });

/** How many there are after the change. */
export const expectedCountSchema = z.object({ expectedResults: count.max(MAX_EXPECTED_RESULTS) });
