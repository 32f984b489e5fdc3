/** Field types that several messages share. */

import { z } from "zod";
import { formatAddress, parseAddress } from "../net/address.ts";
import { PORT_STATES } from "./port-state.ts";
import { DEFAULT_PAGE_SIZE, MAX_NAME_LENGTH, MAX_PAGE_SIZE, MAX_RATE_PPS } from "./limits.ts";

/** Identifiers are positive integers on the wire, whatever the database calls them. */
export const idSchema = z.int().positive();

/** Identifier in a path or query. */
export const idParameterSchema = z.coerce.number().int().positive();

/** UTC, to the nanosecond at most: `2026-01-27T10:30:00.000Z`. */
export const timestampSchema = z.iso.datetime().max("2026-01-27T10:30:00.000000000Z".length);

/** An IPv4 or IPv6 address, read into its canonical text, so that the same address is always the same text. */
export const addressSchema = z
  .string()
  .max("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length)
  .refine((text) => parseAddress(text) !== undefined, "must be an IPv4 or IPv6 address")
  .overwrite((text) => {
    const address = parseAddress(text);
    return address === undefined ? text : formatAddress(address);
  });

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
export const portStateSchema = z.enum(PORT_STATES);

/** One page of a list: `limit` rows after the row that `cursor` names. */
export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_PAGE_SIZE).default(DEFAULT_PAGE_SIZE),
  cursor: z.coerce.number().int().min(0).optional(),
});
