/**
 * Discovery lists: addresses that scripts push, from a cloud's inventory for one. Pushing an address again only notes
 * that it was seen; addresses that were not seen for long are pruned by the script.
 */

import { z } from "zod";
import {
  assignedGroupsSchema,
  assignedScannersSchema,
  catalogueViewFields,
  descriptionSchema,
  nextCursorSchema,
  sharedRateSchema,
} from "./catalogue.ts";
import { scannerNameSchema, timestampSchema } from "./fields.ts";
import { MAX_ADDRESSES_PER_PUSH, MAX_NAME_LENGTH, MAX_TARGET_LENGTH } from "./limits.ts";

/** Letters, digits, `.`, `_` and `-`: it stands in addresses of calls. */
export const discoveryListNameSchema = z
  .string()
  .min(1)
  .max(MAX_NAME_LENGTH)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "must be letters, digits, dots, underscores and hyphens");

const fields = {
  name: discoveryListNameSchema,
  description: descriptionSchema,
  rateLimit: sharedRateSchema,
  scannerIds: assignedScannersSchema,
  groupIds: assignedGroupsSchema,
};

/** `POST /api/config/discovery-lists`, and `PUT …/:id`, which replaces all of it but the addresses. */
export const discoveryListRequestSchema = z.strictObject({
  ...fields,
  description: fields.description.default(""),
  rateLimit: fields.rateLimit.default(0),
  scannerIds: fields.scannerIds.default([]),
  groupIds: fields.groupIds.default([]),
});
export type DiscoveryListRequest = z.output<typeof discoveryListRequestSchema>;

/** `PATCH /api/config/discovery-lists/:id`; what is absent stays as it is. */
export const discoveryListPatchSchema = z.strictObject(fields).partial();
export type DiscoveryListPatch = z.output<typeof discoveryListPatchSchema>;

export const discoveryListViewSchema = z.object({
  ...catalogueViewFields,
  ...fields,
  addresses: z.int().min(0),
  lastPushAt: timestampSchema.nullable(),
});
export type DiscoveryListView = z.infer<typeof discoveryListViewSchema>;

export const discoveryListListSchema = z.object({
  discoveryLists: z.array(discoveryListViewSchema),
  nextCursor: nextCursorSchema,
});

/** `POST /discovery/lists`: makes the list unless it is there, and assigns the scanner unless it is assigned. */
export const discoveryListEnsureSchema = z.strictObject({
  name: discoveryListNameSchema,
  scannerName: scannerNameSchema.optional(),
});
export type DiscoveryListEnsure = z.output<typeof discoveryListEnsureSchema>;

/** `POST` and `DELETE /discovery/lists/:name/ips`: all of them or none. */
export const discoveryPushSchema = z.strictObject({
  ips: z.array(z.string().min(1).max(MAX_TARGET_LENGTH)).min(1).max(MAX_ADDRESSES_PER_PUSH),
});

/** What became of a push: `added` are new, `refreshed` were there and are seen now. */
export const discoveryPushResponseSchema = z.object({
  added: z.int().min(0),
  refreshed: z.int().min(0),
  addresses: z.int().min(0),
});
export type DiscoveryPushResponse = z.infer<typeof discoveryPushResponseSchema>;

/** `DELETE /discovery/lists/:name/ips/older-than`: the time in the query, or in the body. */
export const olderThanQuerySchema = z.object({ olderThan: timestampSchema.optional() });
export const olderThanBodySchema = z.strictObject({ olderThan: timestampSchema.optional() });

export const discoveryRemovalSchema = z.object({ removed: z.int().min(0), addresses: z.int().min(0) });
export type DiscoveryRemoval = z.infer<typeof discoveryRemovalSchema>;

/** `GET /api/config/discovery-lists/:id/ips`, by id of the row. */
export const discoveryAddressListSchema = z.object({
  ips: z.array(z.object({ ip: z.string(), firstSeenAt: timestampSchema, lastSeenAt: timestampSchema })),
  nextCursor: nextCursorSchema,
});
