/** What changed from one look at an endpoint to the next, always from the same vantage point. */

import { z } from "zod";
import { suspicionReasonSchema, vantageSchema } from "./endpoints.ts";
import { addressSchema, idSchema, pageQuerySchema, protocolSchema, timestampSchema } from "./fields.ts";

/** `port_closed`: not open any more. `host_appeared`, `host_vanished`: its first port opened, its last one closed. */
export const CHANGE_KINDS = [
  "port_opened",
  "port_closed",
  "port_filtered",
  "service_changed",
  "host_appeared",
  "host_vanished",
] as const;
export const changeKindSchema = z.enum(CHANGE_KINDS);
export type ChangeKind = z.infer<typeof changeKindSchema>;

export const changeViewSchema = z.object({
  id: idSchema,
  at: timestampSchema,
  scanId: idSchema,
  jobId: idSchema,
  vantage: vantageSchema,
  address: z.string(),
  /** Null, with the port, where the change is the host's. */
  protocol: protocolSchema.nullable(),
  port: z.int().nullable(),
  kind: changeKindSchema,
  /** A state, or for `service_changed` what the service was and is; null where the change is the host's. */
  from: z.string().nullable(),
  to: z.string().nullable(),
});
export type ChangeView = z.infer<typeof changeViewSchema>;

/** `time.id` of the last change of a page. */
export const changeCursorSchema = z
  .string()
  .max(40)
  .regex(/^\d{1,16}\.\d{1,16}$/, "must be the nextCursor of a page");

/** `GET /api/scans/:id/changes` */
export const scanChangesQuerySchema = pageQuerySchema.extend({
  cursor: changeCursorSchema.optional(),
  vantage: vantageSchema.optional(),
  address: addressSchema.optional(),
  kind: changeKindSchema.optional(),
});

/** `GET /api/changes` */
export const changesQuerySchema = scanChangesQuerySchema.extend({
  /** Those at this time and later. */
  since: timestampSchema.optional(),
});
export type ChangesQuery = z.infer<typeof changesQuerySchema>;

/** Newest first. */
export const changeListSchema = z.object({
  changes: z.array(changeViewSchema),
  nextCursor: changeCursorSchema.nullable(),
});

export const suspicionSchema = z.object({
  reason: suspicionReasonSchema,
  vantage: vantageSchema,
  /** The job that is not believed; null where it is a host. */
  jobId: idSchema.nullable(),
  address: z.string().nullable(),
});

/** What one scan changed, and what of it was not believed and therefore changed nothing. */
export const scanChangeListSchema = changeListSchema.extend({
  /** Jobs that have ended and are not compared yet. */
  pendingJobs: z.int().min(0),
  /** The first thousand. */
  suspicious: z.array(suspicionSchema),
});
