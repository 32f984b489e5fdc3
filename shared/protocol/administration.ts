/**
 * The rest of the operator's JSON API: changing scanners, following scans, operator tokens, and the audit log.
 */

import { z } from "zod";
import { idSchema, pageQuerySchema, rateSchema, scannerNameSchema, timestampSchema } from "./fields.ts";
import { MAX_DESCRIPTION_LENGTH, MAX_NAME_LENGTH } from "./limits.ts";
import { bindingModeSchema, jobViewSchema, scanStatusSchema } from "./operator.ts";

/** What an operator may do; each role may do all that the one before may. */
export const operatorRoleSchema = z.enum(["viewer", "operator", "admin"]);
export type OperatorRole = z.infer<typeof operatorRoleSchema>;

/** `PUT /api/config/scanners/:id`; what is absent stays as it is. */
export const scannerUpdateRequestSchema = z.strictObject({
  name: scannerNameSchema.optional(),
  description: z.string().max(MAX_DESCRIPTION_LENGTH).optional(),
  rateLimit: rateSchema.optional(),
});
export type ScannerUpdateRequest = z.infer<typeof scannerUpdateRequestSchema>;

/** `PATCH /api/config/scanners/:id`; without a value the scanner binds at its next contact. */
export const bindingUpdateRequestSchema = z.strictObject({
  bindingMode: bindingModeSchema,
  bindingValue: z.string().max(255).optional(),
});
export type BindingUpdateRequest = z.infer<typeof bindingUpdateRequestSchema>;

/** `GET /api/config/scanners/:id/binding` */
export const bindingViewSchema = z.object({
  scannerId: idSchema,
  mode: bindingModeSchema,
  /** Address or network it is bound to; null until the next contact. */
  value: z.string().nullable(),
  mismatchCount: z.int().min(0),
  /** The address of its last accepted call. */
  lastAddress: z.string().nullable(),
});

/** `GET /api/scans/:id/progress` */
export const scanProgressSchema = z.object({
  scanId: idSchema,
  status: scanStatusSchema,
  probes: z.int().min(0),
  /** Probes sent, over all jobs. */
  progressCount: z.int().min(0),
  coverage: z.number().min(0).max(1),
  resultCount: z.int().min(0),
  jobs: z.array(jobViewSchema.omit({ summary: true })),
});

export type ScanProgress = z.infer<typeof scanProgressSchema>;

export const scanLogSchema = z.object({
  id: idSchema,
  jobId: idSchema,
  scannerId: idSchema,
  timestamp: timestampSchema,
  level: z.string(),
  message: z.string(),
});
export type ScanLog = z.infer<typeof scanLogSchema>;

/** `GET /api/scans/:id/logs`, oldest first. */
export const scanLogListSchema = z.object({ logs: z.array(scanLogSchema), nextCursor: z.int().nullable() });

export const auditEntrySchema = z.object({
  id: idSchema,
  at: timestampSchema,
  /** `operator:NAME`, `scanner:NAME`, `system`, or `address:IP` where nobody is known. */
  actor: z.string(),
  /** What was done, dotted: `scanner.created`. */
  action: z.string(),
  /** What it was done to: `scanner:7`. */
  object: z.string(),
  detail: z.record(z.string(), z.unknown()),
  hash: z.string(),
});

/** `GET /api/audit`, newest first. */
export const auditQuerySchema = pageQuerySchema;
export const auditListSchema = z.object({
  entries: z.array(auditEntrySchema),
  nextCursor: z.int().nullable(),
});

/** `GET /api/audit/verify` */
export const auditVerificationSchema = z.object({
  ok: z.boolean(),
  rowsChecked: z.int().min(0),
  violations: z.array(
    z.object({
      id: idSchema,
      /** `row_hash`: the row was changed. `prev_hash`: rows were removed, added or moved before it. */
      kind: z.enum(["row_hash", "prev_hash"]),
    }),
  ),
});
export type AuditVerification = z.infer<typeof auditVerificationSchema>;

export const operatorTokenSchema = z.object({
  id: idSchema,
  name: z.string(),
  role: operatorRoleSchema,
  createdBy: z.string(),
  createdAt: timestampSchema,
  revokedAt: timestampSchema.nullable(),
  lastUsedAt: timestampSchema.nullable(),
});
export const operatorTokenListSchema = z.object({ tokens: z.array(operatorTokenSchema) });

/** `POST /api/tokens` */
export const operatorTokenCreateRequestSchema = z.strictObject({
  name: z.string().min(1).max(MAX_NAME_LENGTH),
  role: operatorRoleSchema,
});
/** The token is shown this once. */
export const operatorTokenCreateResponseSchema = z.object({ token: z.string(), info: operatorTokenSchema });
