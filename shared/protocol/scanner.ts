/**
 * Registration and heartbeat: the calls by which an agent becomes and stays known.
 * Fields marked "stored for inventory" decide nothing.
 */

import { z } from "zod";
import {
  agentVersionSchema,
  idSchema,
  observedTextSchema,
  scannerNameSchema,
  timestampSchema,
} from "./fields.ts";
import { MAX_CAPABILITIES } from "./limits.ts";

/** `X-API-Key` carries the scanner's key on every call after registration. */
export const API_KEY_HEADER = "x-api-key";

/** Prefixes tell people and secret scanners what a string is. The rest is 32 random bytes, base64url. */
export const PROVISIONING_TOKEN_PREFIX = "ptl_prov_";
export const ENROLMENT_TOKEN_PREFIX = "ptl_enrol_";
export const API_KEY_PREFIX = "ptl_key_";
export const OPERATOR_TOKEN_PREFIX = "ptl_op_";

const shortText = observedTextSchema(255);

export const capabilitiesSchema = z.array(observedTextSchema(64).min(1)).max(MAX_CAPABILITIES);

/** `POST /scanner/register`. The same token with the same installId answers again, so that a lost answer costs nothing. */
export const registerRequestSchema = z.object({
  token: z.string().min(1).max(200),
  /** Random, made once by the agent and kept: tells a retry from a second host. */
  installId: z.uuid(),
  version: shortText.optional(),
  hostname: shortText.optional(),
  os: shortText.optional(),
  arch: shortText.optional(),
  internalIp: shortText.optional(),
  capabilities: capabilitiesSchema.optional(),
});
export type RegisterRequest = z.infer<typeof registerRequestSchema>;

export const registerResponseSchema = z.object({
  scannerId: idSchema,
  name: scannerNameSchema,
  /** Shown this once; the control plane keeps only its hash. */
  apiKey: z.string(),
});
export type RegisterResponse = z.infer<typeof registerResponseSchema>;

const bytes = z.int().min(0);
const load = z.number().min(0).max(1_000_000);

/** Network counters are totals since boot, over every interface but loopback. */
export const hostMetricsSchema = z.object({
  loadAvg1m: load,
  loadAvg5m: load,
  loadAvg15m: load,
  memoryTotalBytes: bytes,
  memoryAvailableBytes: bytes,
  networkRxBytes: bytes,
  networkTxBytes: bytes,
  numCpus: z.int().min(1).max(65_536),
});
export type HostMetrics = z.infer<typeof hostMetricsSchema>;

/** `POST /scanner/heartbeat`, every 60 s. Every field is optional; an empty object is a heartbeat. */
export const heartbeatRequestSchema = z.object({
  version: shortText.optional(),
  hostname: shortText.optional(),
  /** Address of the agent's own network card; the control plane notes the connection's address by itself. */
  internalIp: shortText.optional(),
  capabilities: capabilitiesSchema.optional(),
  metrics: hostMetricsSchema.partial().optional(),
});
export type HeartbeatRequest = z.infer<typeof heartbeatRequestSchema>;

export const heartbeatResponseSchema = z.object({
  ok: z.literal(true),
  serverTime: timestampSchema,
  /** The agent is to fetch a new key: `POST /scanner/rotate-key`. */
  rotateKey: z.literal(true).optional(),
  /** Older agents are to be upgraded. */
  minimumVersion: agentVersionSchema.optional(),
});
export type HeartbeatResponse = z.infer<typeof heartbeatResponseSchema>;

/**
 * `POST /scanner/rotate-key`, with the present key, once a heartbeat's answer asked for it. The present key works until
 * the new one is first used, and for a day at most; until then the call may be repeated with it, which gives another
 * new key in place of the one that was lost.
 */
export const rotateKeyResponseSchema = z.object({
  /** Shown this once; the control plane keeps only its hash. */
  apiKey: z.string().min(1),
  formerKeyExpiresAt: timestampSchema,
});
export type RotateKeyResponse = z.infer<typeof rotateKeyResponseSchema>;

/** `POST /scanner/auth`, with the key in X-API-Key. Nothing of the body decides anything. */
export const scannerAuthRequestSchema = z.object({ scanner_version: shortText.optional() });

/** A token that stands for the key for a short time: `Authorization: Bearer …` on every call of a scanner. */
export const scannerAuthResponseSchema = z.object({
  access_token: z.string(),
  token_type: z.literal("bearer"),
  expires_in: z.int().positive(),
  scanner_id: idSchema,
  scanner_name: scannerNameSchema,
});
export type ScannerAuthResponse = z.infer<typeof scannerAuthResponseSchema>;
