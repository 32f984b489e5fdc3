/** Field types that several messages share. */

import { z } from "zod";
import { parseIpv4 } from "../net/ipv4.ts";
import { DEFAULT_PAGE_SIZE, MAX_NAME_LENGTH, MAX_PAGE_SIZE, MAX_RATE_PPS } from "./limits.ts";

/** Identifiers are positive integers on the wire, whatever the database calls them. */
export const idSchema = z.int().positive();

/** Identifier in a path or query. */
export const idParameterSchema = z.coerce.number().int().positive();

/** UTC, to the nanosecond at most: `2026-01-27T10:30:00.000Z`. */
export const timestampSchema = z.iso.datetime().max("2026-01-27T10:30:00.000000000Z".length);

export const ipv4Schema = z
  .string()
  .max("255.255.255.255".length)
  .refine((text) => parseIpv4(text) !== undefined, "must be an IPv4 address");

/** Letters, digits and hyphens. */
export const scannerNameSchema = z
  .string()
  .min(1)
  .max(MAX_NAME_LENGTH)
  .regex(/^[A-Za-z0-9-]+$/, "must be letters, digits and hyphens");

/** Probes per second; 0 means unlimited. */
export const rateSchema = z.int().min(0).max(MAX_RATE_PPS);

export const protocolSchema = z.enum(["tcp", "udp"]);
export type TransportProtocol = z.infer<typeof protocolSchema>;

/** What a port answered: SYN-ACK, RST, or nothing or an ICMP error. */
export const portStateSchema = z.enum(["open", "closed", "filtered"]);
export type PortState = z.infer<typeof portStateSchema>;

/** One page of a list: `limit` rows after the row that `cursor` names. */
export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_PAGE_SIZE).default(DEFAULT_PAGE_SIZE),
  cursor: z.coerce.number().int().min(0).optional(),
});
