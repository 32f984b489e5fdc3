/**
 * Endpoints: a port of an address as seen from a vantage point. How they are named in pages, and what is known of each
 * at present.
 */

import { z } from "zod";
import {
  addressSchema,
  idSchema,
  numberParameter,
  pageQuerySchema,
  portStateSchema,
  protocolSchema,
  timestampSchema,
} from "./fields.ts";

/** From where it was looked: `scanner:7`, or the pool of scanners of a subnet or discovery list: `subnet:3`. */
export const vantageSchema = z
  .string()
  .max(40)
  .regex(/^(?:scanner|subnet|discovery):\d{1,16}$/, "must be a vantage point like scanner:7 or subnet:3");

/** Where a page ends. Its inside is nobody's business. */
export const endpointCursorSchema = z
  .string()
  .max(64)
  .regex(/^\d{1,15}\.(?:[0-9a-f]{8}|[0-9a-f]{32})\.(?:6|17)\.\d{1,5}$/, "must be the nextCursor of a page");

/**
 * One page of endpoints. A filter that fits few of millions may give short pages, even empty ones: there is more until
 * `nextCursor` is null.
 */
export const endpointPageQuerySchema = pageQuerySchema.extend({ cursor: endpointCursorSchema.optional() });

export const portParameterSchema = numberParameter(z.int().min(0).max(65_535));

/** Why something is kept and not believed. */
export const SUSPICION_REASONS = ["answers-on-every-port", "nothing-found"] as const;
/**
 * `answers-on-every-port`: a host, or a job with such hosts. `nothing-found`: a job that says it succeeded, from a
 * vantage point whose ports were open before and of which none is now.
 */
export const suspicionReasonSchema = z.enum(SUSPICION_REASONS);
export type SuspicionReason = z.infer<typeof suspicionReasonSchema>;

/** `GET /api/endpoints` */
export const endpointsQuerySchema = endpointPageQuerySchema.extend({
  vantage: vantageSchema.optional(),
  address: addressSchema.optional(),
  state: portStateSchema.optional(),
  protocol: protocolSchema.optional(),
  port: portParameterSchema.optional(),
});
export type EndpointsQuery = z.infer<typeof endpointsQuerySchema>;

export const endpointViewSchema = z.object({
  id: z.string(),
  vantage: vantageSchema,
  address: z.string(),
  protocol: protocolSchema,
  port: z.int(),
  state: portStateSchema,
  /** When it came into this state, as far as is known. */
  since: timestampSchema,
  firstSeen: timestampSchema,
  /** When a scanner last reported it. */
  lastSeen: timestampSchema,
  /** The scan that told last. */
  scanId: idSchema,
  service: z.string().optional(),
  product: z.string().optional(),
  version: z.string().optional(),
});
export type EndpointView = z.infer<typeof endpointViewSchema>;

/** By vantage point, address, protocol and port. */
export const endpointListSchema = z.object({
  endpoints: z.array(endpointViewSchema),
  nextCursor: endpointCursorSchema.nullable(),
});
