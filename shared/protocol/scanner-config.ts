/** `/api/config/scanners` as a list to filter, and what there is to install: binaries and their digests. */

import { z } from "zod";
import { numberParameter, pageQuerySchema, scannerNameSchema } from "./fields.ts";
import { MAX_NAME_LENGTH, MAX_PAGE_SIZE } from "./limits.ts";
import { bindingModeSchema, scannerStatusSchema, scannerViewSchema } from "./operator.ts";

/** `GET /api/config/scanners`: with none of these, the whole list by name; with any, a page of those that match, by id. */
export const scannerListQuerySchema = z.object({
  limit: numberParameter(z.int().min(1).max(MAX_PAGE_SIZE)).optional(),
  cursor: pageQuerySchema.shape.cursor,
  status: scannerStatusSchema.optional(),
  bindingMode: bindingModeSchema.optional(),
  createdBy: z.string().max(200).optional(),
  version: z.string().max(255).optional(),
  /** Part of name, description, host name or address, whatever the case. */
  q: z.string().min(1).max(MAX_NAME_LENGTH).optional(),
});
export type ScannerListQuery = z.infer<typeof scannerListQuerySchema>;

export const scannerPageSchema = z.object({
  scanners: z.array(scannerViewSchema),
  /** Give it as `cursor` for the next page; null on the last. Absent with the whole list. */
  nextCursor: z.int().nullable().optional(),
});
export type ScannerPage = z.infer<typeof scannerPageSchema>;

/** `GET /api/config/scanners/filter-values`: what occurs, to filter by. */
export const scannerFilterValuesSchema = z.object({
  names: z.array(scannerNameSchema),
  statuses: z.array(scannerStatusSchema),
  bindingModes: z.array(bindingModeSchema),
  createdBy: z.array(z.string()),
  versions: z.array(z.string()),
});
export type ScannerFilterValues = z.infer<typeof scannerFilterValuesSchema>;

export const agentBinaryInfoSchema = z.object({
  platform: z.string(),
  arch: z.string(),
  /** False: `buildCommand` makes it. */
  available: z.boolean(),
  sha256: z.string().nullable(),
  sizeBytes: z.int().nullable(),
  /** Whether an Ed25519 signature lies beside it. */
  signed: z.boolean(),
  buildCommand: z.string().nullable(),
});
export type AgentBinaryInfo = z.infer<typeof agentBinaryInfoSchema>;

/** `GET /api/config/scanners/binary-hash` */
export const binaryHashesSchema = z.object({
  /** Of the control plane, and of the agents that are released with it. */
  version: z.string(),
  binaries: z.array(agentBinaryInfoSchema),
});
