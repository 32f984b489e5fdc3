/** Registration and heartbeat on the wire. */

import { describe, expect, test } from "bun:test";
import { MAX_CAPABILITIES } from "./limits.ts";
import {
  API_KEY_PREFIX,
  ENROLMENT_TOKEN_PREFIX,
  heartbeatRequestSchema,
  heartbeatResponseSchema,
  OPERATOR_TOKEN_PREFIX,
  PROVISIONING_TOKEN_PREFIX,
  registerRequestSchema,
} from "./scanner.ts";

const metrics = {
  loadAvg1m: 0.5,
  loadAvg5m: 0.25,
  loadAvg15m: 0,
  memoryTotalBytes: 8 * 2 ** 30,
  memoryAvailableBytes: 2 ** 30,
  networkRxBytes: 2 ** 45,
  networkTxBytes: 0,
  numCpus: 2,
};

describe("register", () => {
  const request = { token: "ptl_prov_x", installId: "6f1c2a52-3b0e-4d7e-9a35-0d5c1b6e8f10" };

  test("needs a token and an install id, and nothing else", () => {
    expect(registerRequestSchema.parse(request)).toEqual(request);
    expect(registerRequestSchema.safeParse({ token: request.token }).success).toBe(false);
    expect(registerRequestSchema.safeParse({ installId: request.installId }).success).toBe(false);
    expect(registerRequestSchema.safeParse({ ...request, token: "" }).success).toBe(false);
    expect(registerRequestSchema.safeParse({ ...request, installId: "host-1" }).success).toBe(false);
  });

  test("bounds what it stores", () => {
    expect(registerRequestSchema.safeParse({ ...request, hostname: "h".repeat(255) }).success).toBe(true);
    expect(registerRequestSchema.safeParse({ ...request, hostname: "h".repeat(256) }).success).toBe(false);
  });
});

describe("heartbeat", () => {
  test("may be empty, and may carry everything", () => {
    expect(heartbeatRequestSchema.parse({})).toEqual({});
    const full = {
      version: "0.1.0",
      hostname: "fra-1",
      internalIp: "10.0.0.5",
      capabilities: ["syn"],
      metrics,
    };
    expect(heartbeatRequestSchema.parse(full)).toEqual(full);
  });

  test("takes the metrics that could be read when others could not", () => {
    expect(heartbeatRequestSchema.safeParse({ metrics: { loadAvg1m: 1 } }).success).toBe(true);
  });

  test.each([
    { loadAvg1m: -1 },
    { memoryTotalBytes: 1.5 },
    { networkRxBytes: -1 },
    { numCpus: 0 },
    { loadAvg5m: "1" },
  ])("refuses metrics %j", (wrong) => {
    expect(heartbeatRequestSchema.safeParse({ metrics: { ...metrics, ...wrong } }).success).toBe(false);
  });

  test("takes capabilities up to their number", () => {
    const capabilities = Array.from({ length: MAX_CAPABILITIES + 1 }, (_, i) => `c${i}`);
    expect(heartbeatRequestSchema.safeParse({ capabilities: capabilities.slice(1) }).success).toBe(true);
    expect(heartbeatRequestSchema.safeParse({ capabilities }).success).toBe(false);
    expect(heartbeatRequestSchema.safeParse({ capabilities: [""] }).success).toBe(false);
  });

  test("is answered with ok and the time; an answer of a newer control plane is read too", () => {
    const answer = { ok: true, serverTime: "2026-01-27T10:30:00.000Z" };
    expect(heartbeatResponseSchema.safeParse({ ...answer, keyRotationDue: true }).success).toBe(true);
    expect(heartbeatResponseSchema.safeParse({ ...answer, ok: false }).success).toBe(false);
  });
});

test("no credential prefix is the beginning of another", () => {
  const prefixes = [PROVISIONING_TOKEN_PREFIX, ENROLMENT_TOKEN_PREFIX, API_KEY_PREFIX, OPERATOR_TOKEN_PREFIX];
  for (const prefix of prefixes) {
    expect(prefixes.filter((other) => other.startsWith(prefix))).toEqual([prefix]);
  }
});
