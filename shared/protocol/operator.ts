/** The operator's JSON API: scanners as configured and as seen, scans and their results. */

import { z } from "zod";
import {
  addressSchema,
  idParameterSchema,
  idSchema,
  numberParameter,
  pageQuerySchema,
  portStateSchema,
  prioritySchema,
  protocolSchema,
  rateSchema,
  scannerNameSchema,
  timestampSchema,
} from "./fields.ts";
import {
  endpointCursorSchema,
  endpointPageQuerySchema,
  suspicionReasonSchema,
  vantageSchema,
} from "./endpoints.ts";
import { jobStatusSchema, portResultSchema, scanEngineSchema, scanSummarySchema } from "./job.ts";
import {
  DEFAULT_PORT_TIMEOUT_MS,
  DEFAULT_RETRIES,
  DEFAULT_SCAN_TIMEOUT_SECONDS,
  MAX_DESCRIPTION_LENGTH,
  MAX_PORT_SPEC_LENGTH,
  MAX_RETRIES,
  MAX_TARGET_LENGTH,
} from "./limits.ts";
import { hostMetricsSchema } from "./scanner.ts";

/**
 * `pending` has never registered; `unapproved` enrolled itself and waits for an operator; `offline` has not sent a
 * heartbeat for two minutes.
 */
export const scannerStatusSchema = z.enum(["pending", "active", "offline", "disabled", "unapproved"]);
export type ScannerStatus = z.infer<typeof scannerStatusSchema>;

export const bindingModeSchema = z.enum(["none", "ip", "subnet", "asn"]);
export type BindingMode = z.infer<typeof bindingModeSchema>;

/** The last call of a scanner that was refused; cleared by the next good heartbeat. */
export const authErrorSchema = z.object({ at: timestampSchema, code: z.string(), address: z.string() });

/** `GET /api/scanners`: one scanner as operators see it. */
export const scannerViewSchema = z.object({
  id: idSchema,
  name: scannerNameSchema,
  description: z.string(),
  status: scannerStatusSchema,
  rateLimit: rateSchema,
  binding: z.object({
    mode: bindingModeSchema,
    value: z.string().nullable(),
    mismatchCount: z.int().min(0),
  }),
  version: z.string().nullable(),
  hostname: z.string().nullable(),
  internalIp: z.string().nullable(),
  /** The address it connects from. */
  externalIp: z.string().nullable(),
  capabilities: z.array(z.string()),
  lastHeartbeatAt: timestampSchema.nullable(),
  lastAuthError: authErrorSchema.nullable(),
  /** The metrics of the last heartbeat that carried any. */
  metrics: hostMetricsSchema.partial().nullable(),
  activeJobs: z.int().min(0),
  /** Since when the agent is to fetch a new key, and has not used one; null when nothing is to be done. */
  keyRotationRequestedAt: timestampSchema.nullable(),
  createdBy: z.string(),
  createdAt: timestampSchema,
});
export type ScannerView = z.infer<typeof scannerViewSchema>;

export const scannerListSchema = z.object({ scanners: z.array(scannerViewSchema) });

/** `POST /api/config/scanners` */
export const scannerCreateRequestSchema = z.strictObject({
  name: scannerNameSchema,
  description: z.string().max(MAX_DESCRIPTION_LENGTH).default(""),
  rateLimit: rateSchema.default(0),
  bindingMode: bindingModeSchema.default("none"),
  /** Unset: binds to the address of the first contact. */
  bindingValue: z.string().max(255).optional(),
});
export type ScannerCreateRequest = z.infer<typeof scannerCreateRequestSchema>;

export const provisioningSchema = z.object({
  /** Shown this once. */
  token: z.string(),
  expiresAt: timestampSchema,
  /** The one line to run on the scanner's host. */
  installCommand: z.string(),
});

export const scannerCreateResponseSchema = z.object({
  scanner: scannerViewSchema,
  provisioning: provisioningSchema,
});
export type ScannerCreateResponse = z.infer<typeof scannerCreateResponseSchema>;

export const scanStatusSchema = z.enum(["planned", "running", "completed", "failed", "cancelled"]);
export type ScanStatus = z.infer<typeof scanStatusSchema>;

/** `POST /api/scans`: scan these addresses and ports from each of these scanners, now. */
export const scanCreateRequestSchema = z.strictObject({
  name: z.string().max(255).default(""),
  /** Every scanner named is a vantage point: each scans all of it. */
  scannerIds: z.array(idSchema).min(1).max(1_000),
  /** As people write them: `10.0.0.0/24`, `10.0.0.1-9`, `2001:db8::/120`. */
  targets: z.array(z.string().min(1).max(MAX_TARGET_LENGTH)).min(1).max(10_000),
  exclude: z.array(z.string().min(1).max(MAX_TARGET_LENGTH)).max(10_000).default([]),
  ports: z.string().min(1).max(MAX_PORT_SPEC_LENGTH),
  maxProbesPerSecond: rateSchema.default(0),
  engine: scanEngineSchema.default("syn"),
  serviceDetection: z.boolean().default(false),
  priority: prioritySchema.default(0),
  retries: z.int().min(0).max(MAX_RETRIES).default(DEFAULT_RETRIES),
  portTimeoutMs: z.int().min(50).max(60_000).default(DEFAULT_PORT_TIMEOUT_MS),
  scanTimeoutSeconds: z.int().min(1).max(604_800).default(DEFAULT_SCAN_TIMEOUT_SECONDS),
  reportStates: z.array(portStateSchema).min(1).max(3).default(["open"]),
});
export type ScanCreateRequest = z.input<typeof scanCreateRequestSchema>;

/** `POST /api/scans` with a template: scan what it names from where it says, now. */
export const templateScanRequestSchema = z.strictObject({
  templateId: idSchema,
  /** The template's where it is absent. */
  name: z.string().max(255).optional(),
  priority: prioritySchema.default(0),
});
export type TemplateScanRequest = z.output<typeof templateScanRequestSchema>;

export const scanStartRequestSchema = z.union([scanCreateRequestSchema, templateScanRequestSchema]);

/** `POST /api/config/scan-templates/:id/run` */
export const templateRunRequestSchema = templateScanRequestSchema.omit({ templateId: true });

export const jobViewSchema = z.object({
  id: idSchema,
  scannerId: idSchema,
  scannerName: scannerNameSchema,
  status: jobStatusSchema,
  attempt: z.int().min(0),
  progressCount: z.int().min(0),
  resultCount: z.int().min(0),
  coverage: z.number().min(0).max(1),
  errorMessage: z.string().nullable(),
  summary: scanSummarySchema.nullable(),
});

export const scanViewSchema = z.object({
  id: idSchema,
  name: z.string(),
  status: scanStatusSchema,
  engine: scanEngineSchema,
  serviceDetection: z.boolean(),
  priority: prioritySchema,
  /** What it was started by; these may be gone. */
  templateId: idSchema.nullable(),
  scheduleId: idSchema.nullable(),
  targets: z.array(z.string()),
  ports: z.string(),
  /** Addresses times ports times vantage points, nothing counted twice. */
  probes: z.int().min(0),
  jobCounts: z.record(jobStatusSchema, z.int().min(0)),
  /** Mean of the jobs' coverage, weighted by their probes. */
  coverage: z.number().min(0).max(1),
  resultCount: z.int().min(0),
  errorMessage: z.string().nullable(),
  createdBy: z.string(),
  createdAt: timestampSchema,
  startedAt: timestampSchema.nullable(),
  endedAt: timestampSchema.nullable(),
  /** The first MAX_JOBS_SHOWN; all are in `GET /api/jobs?scanId=`. */
  jobs: z.array(jobViewSchema),
});
export type ScanView = z.infer<typeof scanViewSchema>;

/** `GET /api/scans`, newest first. */
export const scansQuerySchema = pageQuerySchema.extend({
  status: scanStatusSchema.optional(),
  templateId: idParameterSchema.optional(),
  scheduleId: idParameterSchema.optional(),
  /** Part of the name, in any case. */
  q: z.string().min(1).max(255).optional(),
});

export const scanListSchema = z.object({
  scans: z.array(scanViewSchema.omit({ jobs: true })),
  /** Give it as `cursor` for the next page; null on the last. */
  nextCursor: z.int().nullable(),
});

/** `GET /api/scans/:id/results` */
export const resultsQuerySchema = endpointPageQuerySchema.extend({
  state: portStateSchema.optional(),
  protocol: protocolSchema.optional(),
  address: addressSchema.optional(),
  port: numberParameter(z.int().min(0).max(65_535)).optional(),
  scannerId: idParameterSchema.optional(),
});

export const resultViewSchema = portResultSchema.omit({ observedAt: true }).extend({
  /** Of the row, within its scan; as `cursor` it gives those after. */
  id: z.string(),
  vantage: vantageSchema,
  /** Who saw it last. */
  scannerId: idSchema,
  firstSeen: timestampSchema,
  lastSeen: timestampSchema,
  /** Why it is not to be believed. */
  suspicious: suspicionReasonSchema.optional(),
});
export type ResultView = z.infer<typeof resultViewSchema>;

/** By vantage point, address, protocol and port. */
export const resultListSchema = z.object({
  results: z.array(resultViewSchema),
  nextCursor: endpointCursorSchema.nullable(),
});

export const healthSchema = z.object({
  status: z.enum(["ok", "degraded"]),
  version: z.string(),
  database: z.object({ kind: z.enum(["sqlite", "postgres"]), reachable: z.boolean() }),
});
