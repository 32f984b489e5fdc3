/** Subnets: networks to scan, who scans them, and how fast. */

import { z } from "zod";
import {
  assignedGroupsSchema,
  assignedScannersSchema,
  catalogueNameSchema,
  catalogueViewFields,
  descriptionSchema,
  nextCursorSchema,
  sharedRateSchema,
} from "./catalogue.ts";
import { MAX_EXCLUSIONS_PER_SUBNET, MAX_SUBNETS, MAX_TARGET_LENGTH } from "./limits.ts";

const fields = {
  name: catalogueNameSchema,
  description: descriptionSchema,
  /** `10.0.0.0/16`, `2001:db8::/112`; an address alone is a network of one. */
  cidr: z.string().min(1).max(MAX_TARGET_LENGTH),
  /** Parts of it that are never probed because of this subnet: addresses, networks, ranges. */
  exclusions: z.array(z.string().min(1).max(MAX_TARGET_LENGTH)).max(MAX_EXCLUSIONS_PER_SUBNET),
  rateLimit: sharedRateSchema,
  scannerIds: assignedScannersSchema,
  groupIds: assignedGroupsSchema,
};

/** `POST /api/config/subnets`, and `PUT …/:id`, which replaces all of it. */
export const subnetRequestSchema = z.strictObject({
  ...fields,
  description: fields.description.default(""),
  exclusions: fields.exclusions.default([]),
  rateLimit: fields.rateLimit.default(0),
  scannerIds: fields.scannerIds.default([]),
  groupIds: fields.groupIds.default([]),
});
export type SubnetRequest = z.output<typeof subnetRequestSchema>;

/** `PATCH /api/config/subnets/:id`; what is absent stays as it is. */
export const subnetPatchSchema = z.strictObject(fields).partial();
export type SubnetPatch = z.output<typeof subnetPatchSchema>;

/** `POST /api/config/subnets/bulk`: all of them or none. */
export const subnetBulkRequestSchema = z.strictObject({
  subnets: z.array(subnetRequestSchema).min(1).max(MAX_SUBNETS),
});
export const subnetBulkResponseSchema = z.object({ created: z.int().min(1) });

export const subnetViewSchema = z.object({
  ...catalogueViewFields,
  ...fields,
  /** Addresses that are probed: exclusions and what is never probed are taken out. */
  hosts: z.number().min(0),
});
export type SubnetView = z.infer<typeof subnetViewSchema>;

export const subnetListSchema = z.object({
  subnets: z.array(subnetViewSchema),
  nextCursor: nextCursorSchema,
});
