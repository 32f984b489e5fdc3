/** Port lists: which ports to scan, and how fast they may be asked. */

import { z } from "zod";
import {
  catalogueNameSchema,
  catalogueViewFields,
  descriptionSchema,
  nextCursorSchema,
  sharedRateSchema,
} from "./catalogue.ts";
import { MAX_PORT_SPEC_LENGTH, MAX_PORTS_PER_LIST } from "./limits.ts";

const fields = {
  name: catalogueNameSchema,
  description: descriptionSchema,
  /** As people write it: `22,80-443,53/udp,https,U:161,!25`. */
  spec: z.string().min(1).max(MAX_PORT_SPEC_LENGTH),
  rateLimit: sharedRateSchema,
};

/** `POST /api/config/port-lists`, and `PUT …/:id`, which replaces all of it. */
export const portListRequestSchema = z.strictObject({
  ...fields,
  description: fields.description.default(""),
  rateLimit: fields.rateLimit.default(0),
});
export type PortListRequest = z.output<typeof portListRequestSchema>;

/** `PATCH /api/config/port-lists/:id`; what is absent stays as it is. */
export const portListPatchSchema = z.strictObject(fields).partial();
export type PortListPatch = z.output<typeof portListPatchSchema>;

export const portListViewSchema = z.object({
  ...catalogueViewFields,
  ...fields,
  /** Names resolved, exclusions taken out: `22,80-443,U:53,161`. */
  canonical: z.string(),
  /** TCP and UDP ports together. */
  ports: z.int().min(1).max(MAX_PORTS_PER_LIST),
});
export type PortListView = z.infer<typeof portListViewSchema>;

/** Without the texts, which may be long. */
export const portListItemSchema = portListViewSchema.omit({ spec: true, canonical: true });
export type PortListItem = z.infer<typeof portListItemSchema>;

export const portListListSchema = z.object({
  portLists: z.array(portListItemSchema),
  nextCursor: nextCursorSchema,
});
