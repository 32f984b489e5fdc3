/** What operators may ask for, and the defaults they get. */

import { describe, expect, test } from "bun:test";
import * as limits from "./limits.ts";
import { resultsQuerySchema, scanCreateRequestSchema, scannerCreateRequestSchema } from "./operator.ts";

describe("scanner create", () => {
  test("needs a name only", () => {
    expect(scannerCreateRequestSchema.parse({ name: "fra-1" })).toEqual({
      name: "fra-1",
      description: "",
      rateLimit: 0,
      bindingMode: "none",
    });
  });

  test.each([
    {},
    { name: "a b" },
    { name: "a", description: "x".repeat(limits.MAX_DESCRIPTION_LENGTH + 1) },
    { name: "a", rateLimit: limits.MAX_RATE_PPS + 1 },
    { name: "a", bindingMode: "mac" },
  ])("refuses request %#", (request) => {
    expect(scannerCreateRequestSchema.safeParse(request).success).toBe(false);
  });

  test("refuses a field it does not know, so that a typing error is not taken for a default", () => {
    expect(scannerCreateRequestSchema.safeParse({ name: "a", ratelimit: 5 }).success).toBe(false);
  });
});

describe("scan create", () => {
  const request = { scannerIds: [1], targets: ["10.0.0.0/24"], ports: "22" };

  test("fills in the defaults of the protocol", () => {
    expect(scanCreateRequestSchema.parse(request)).toEqual({
      ...request,
      name: "",
      exclude: [],
      maxProbesPerSecond: 0,
      engine: "syn",
      serviceDetection: false,
      priority: 0,
      retries: limits.DEFAULT_RETRIES,
      portTimeoutMs: limits.DEFAULT_PORT_TIMEOUT_MS,
      scanTimeoutSeconds: limits.DEFAULT_SCAN_TIMEOUT_SECONDS,
      reportStates: ["open"],
    });
  });

  test.each([
    { ...request, scannerIds: [] },
    { ...request, targets: [] },
    { ...request, ports: "" },
    { ...request, retries: limits.MAX_RETRIES + 1 },
    { ...request, portTimeoutMs: 49 },
    { ...request, scanTimeoutSeconds: 0 },
    { ...request, reportStates: ["unknown"] },
    { ...request, port: "22" },
  ])("refuses request %#", (wrong) => {
    expect(scanCreateRequestSchema.safeParse(wrong).success).toBe(false);
  });
});

describe("results query", () => {
  test("reads filters from text", () => {
    expect(resultsQuerySchema.parse({ port: "22", scannerId: "3", state: "open" })).toEqual({
      limit: limits.DEFAULT_PAGE_SIZE,
      port: 22,
      scannerId: 3,
      state: "open",
    });
  });

  test.each([
    { port: "65536" },
    { state: "up" },
    { protocol: "icmp" },
    { scannerId: "0" },
    { address: "example.org" },
  ])("refuses %j", (query) => {
    expect(resultsQuerySchema.safeParse(query).success).toBe(false);
  });
});
