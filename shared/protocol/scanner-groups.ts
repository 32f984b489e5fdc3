/**
 * Scanner groups: scanners that look at the same targets from different vantage points. A group balances no load: each
 * member scans everything.
 */

import { z } from "zod";
import {
  catalogueNameSchema,
  catalogueViewFields,
  descriptionSchema,
  nextCursorSchema,
} from "./catalogue.ts";
import { idSchema } from "./fields.ts";
import { MAX_ASSIGNED_SCANNERS } from "./limits.ts";

const fields = {
  name: catalogueNameSchema,
  description: descriptionSchema,
  scannerIds: z.array(idSchema).min(1).max(MAX_ASSIGNED_SCANNERS),
};

/** `POST /api/config/scanner-groups`, and `PUT …/:id`, which replaces all of it. */
export const scannerGroupRequestSchema = z.strictObject({
  ...fields,
  description: fields.description.default(""),
});
export type ScannerGroupRequest = z.output<typeof scannerGroupRequestSchema>;

/** `PATCH /api/config/scanner-groups/:id`; what is absent stays as it is. */
export const scannerGroupPatchSchema = z.strictObject(fields).partial();
export type ScannerGroupPatch = z.output<typeof scannerGroupPatchSchema>;

export const scannerGroupViewSchema = z.object({ ...catalogueViewFields, ...fields });
export type ScannerGroupView = z.infer<typeof scannerGroupViewSchema>;

export const scannerGroupListSchema = z.object({
  scannerGroups: z.array(scannerGroupViewSchema),
  nextCursor: nextCursorSchema,
});
