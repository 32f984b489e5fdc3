/**
 * Results from the wire as rows to store. Agents send millions, so what a usual result looks like is checked by hand
 * here, some twenty times faster than by its schema; whatever looks unusual is left to the schema, which decides.
 */

import { addressBytes } from "#shared/net/address-bytes.ts";
import { parseAddress } from "#shared/net/address.ts";
import { storableText } from "#shared/protocol/fields.ts";
import type { JobResultsRequest, PortResult } from "#shared/protocol/job.ts";
import { MAX_BANNER_LENGTH } from "#shared/protocol/limits.ts";
import { bytesOf, PROTOCOL_CODES, STATE_CODES } from "../store/endpoint-key.ts";
import type { Observation, ResultDetails } from "../store/result-merge.ts";

const MAX_REASON_LENGTH = 64;
const MAX_TEXT_LENGTH = 255;
const MAX_MAC_LENGTH = 32;
const MAX_ADDRESS_LENGTH = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length;

/** A numbered batch, checked. */
export interface ResultBatch extends Omit<JobResultsRequest, "results"> {
  readonly results: readonly Observation[];
}

/** Results that were checked by their schema. */
export function observationsOf(results: readonly PortResult[]): Observation[] {
  return results.map((result) => ({
    address: bytesOf(result.address),
    protocol: PROTOCOL_CODES[result.protocol],
    port: result.port,
    state: STATE_CODES[result.state],
    reason: result.reason,
    ttl: result.ttl ?? null,
    details: detailsOf(result),
    seenAtMs: Date.parse(result.observedAt),
  }));
}

/**
 * Reads results that nobody has checked yet.
 * @returns undefined where one is not as usual: it may be wrong, or only rare
 */
export function readUsualResults(results: readonly unknown[]): Observation[] | undefined {
  const observations: Observation[] = [];
  for (const result of results) {
    const observation = readUsualResult(result);
    if (observation === undefined) return undefined;
    observations.push(observation);
  }
  return observations;
}

type Unchecked = { readonly [Field in keyof PortResult]?: unknown };

function readUsualResult(result: unknown): Observation | undefined {
  if (!isObject(result)) return undefined;
  const { address: text, port, protocol, state, reason, ttl, observedAt } = result;
  if (typeof text !== "string" || text.length > MAX_ADDRESS_LENGTH) return undefined;
  const address = parseAddress(text);
  if (address === undefined) return undefined;
  if (!isUpTo(port, 65_535)) return undefined;
  if (protocol !== "tcp" && protocol !== "udp") return undefined;
  if (state !== "open" && state !== "closed" && state !== "filtered") return undefined;
  if (!isText(reason, MAX_REASON_LENGTH) || reason === "") return undefined;
  if (ttl !== undefined && !isUpTo(ttl, 255)) return undefined;
  const seenAtMs = typeof observedAt === "string" ? usualTimeMs(observedAt) : undefined;
  if (seenAtMs === undefined) return undefined;
  const details = readDetails(result);
  if (details === "unusual") return undefined;
  return {
    address: addressBytes(address),
    protocol: PROTOCOL_CODES[protocol],
    port,
    state: STATE_CODES[state],
    reason: storableText(reason),
    ttl: ttl ?? null,
    details,
    seenAtMs,
  };
}

function readDetails(result: Unchecked): ResultDetails | "unusual" | undefined {
  const { service, product, version, cpe, banner, macAddress, macVendor } = result;
  if (
    isTextOrAbsent(service, MAX_TEXT_LENGTH) &&
    isTextOrAbsent(product, MAX_TEXT_LENGTH) &&
    isTextOrAbsent(version, MAX_TEXT_LENGTH) &&
    isTextOrAbsent(cpe, MAX_TEXT_LENGTH) &&
    isTextOrAbsent(banner, MAX_BANNER_LENGTH) &&
    isTextOrAbsent(macAddress, MAX_MAC_LENGTH) &&
    isTextOrAbsent(macVendor, MAX_TEXT_LENGTH)
  ) {
    return detailsOf({ service, product, version, cpe, banner, macAddress, macVendor });
  }
  return "unusual";
}

type WireDetails = {
  readonly [Field in "service" | "product" | "version" | "cpe" | "banner" | "macAddress" | "macVendor"]?:
    string | undefined;
};

/** Undefined where nothing is known. */
function detailsOf(result: WireDetails): ResultDetails | undefined {
  const { service, product, version, cpe, banner, macAddress, macVendor } = result;
  if ((service ?? product ?? version ?? cpe ?? banner ?? macAddress ?? macVendor) === undefined)
    return undefined;
  return {
    service: storableOrNull(service),
    product: storableOrNull(product),
    version: storableOrNull(version),
    cpe: storableOrNull(cpe),
    banner: storableOrNull(banner),
    mac_address: storableOrNull(macAddress),
    mac_vendor: storableOrNull(macVendor),
  };
}

function storableOrNull(text: string | undefined): string | null {
  return text === undefined ? null : storableText(text);
}

function isObject(value: unknown): value is Unchecked {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isUpTo(value: unknown, largest: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= largest;
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === "string" && value.length <= maxLength;
}

function isTextOrAbsent(value: unknown, maxLength: number): value is string | undefined {
  return value === undefined || isText(value, maxLength);
}

const ZERO = "0".charCodeAt(0);

/** Reads `2026-01-27T10:30:00.000Z`, which is how programs write times, on days that every month has. */
function usualTimeMs(text: string): number | undefined {
  if (text.length !== 24 || text[4] !== "-" || text[7] !== "-" || text[10] !== "T") return undefined;
  if (text[13] !== ":" || text[16] !== ":" || text[19] !== "." || text[23] !== "Z") return undefined;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  const ms = digits(text, 20, 3);
  const isDay = year >= 1_970 && month >= 1 && month <= 12 && day >= 1 && day <= 28;
  if (!isDay || !(hour <= 23 && minute <= 59 && second <= 59 && ms <= 999)) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second, ms);
}

/** NaN where one is no digit. */
function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let i = from; i < from + count; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}
