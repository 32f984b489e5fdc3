/** Field types that several messages share. */

import { z } from "zod";
import { formatAddress, parseAddress } from "../net/address.ts";
import { PORT_STATES } from "./port-state.ts";
import { DEFAULT_PAGE_SIZE, MAX_NAME_LENGTH, MAX_PAGE_SIZE, MAX_RATE_PPS } from "./limits.ts";

/** Identifiers are positive integers on the wire, whatever the database calls them. */
export const idSchema = z.int().positive();

/** A number in a path or query: digits and nothing else, so that `0x1`, `1e3` and an empty text are no numbers. */
export function numberParameter(schema: z.ZodType<number>) {
  return z.preprocess(
    (text) => (typeof text === "string" && /^\d{1,16}$/.test(text) ? Number(text) : text),
    schema,
  );
}

/** Identifier in a path or query. */
export const idParameterSchema = numberParameter(idSchema);

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

/** Version of an agent: `1.2.3`. */
export const agentVersionSchema = z
  .string()
  .max(32)
  .regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/, "must be a version like 1.2.3");

/** What no database keeps, NUL and half surrogate pairs, comes out as U+FFFD. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

/** Text from a host or from the network, which can hold anything: one strange banner must not cost a batch of results. */
export function observedTextSchema(maxLength: number) {
  return z.string().max(maxLength).overwrite(storableText);
}

/** Probes per second; 0 means unlimited. */
export const rateSchema = z.int().min(0).max(MAX_RATE_PPS);

/** Of a scan and its jobs: higher first. */
export const prioritySchema = z.int().min(0).max(100);

export const protocolSchema = z.enum(["tcp", "udp"]);
export type TransportProtocol = z.infer<typeof protocolSchema>;

/** What a port answered: SYN-ACK, RST, or nothing or an ICMP error. */
export const portStateSchema = z.enum(PORT_STATES);

/** One page of a list: `limit` rows after the row that `cursor` names. */
export const pageQuerySchema = z.object({
  limit: numberParameter(z.int().min(1).max(MAX_PAGE_SIZE)).default(DEFAULT_PAGE_SIZE),
  cursor: numberParameter(z.int().min(0)).optional(),
});
