import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { jobResultsRequestSchema, type PortResult } from "./job.ts";
import {
  MAX_BANNER_LENGTH,
  MAX_BATCHES_PER_JOB,
  MAX_RESULT_BODY_BYTES,
  MAX_RESULTS_PER_BATCH,
} from "./limits.ts";
import { resultBatches } from "./result-batches.ts";

function result(port: number, more: Partial<PortResult> = {}): PortResult {
  const observedAt = "2026-01-27T10:30:00.000Z";
  return {
    address: "10.0.0.1",
    port,
    protocol: "tcp",
    state: "open",
    reason: "syn-ack",
    observedAt,
    ...more,
  };
}

describe("batches", () => {
  test("of usual results hold as many as the wire takes", () => {
    const results = Array.from({ length: 2 * MAX_RESULTS_PER_BATCH + 1 }, (_, i) =>
      result(i % 65_536, { service: "http", product: "nginx", version: "1.20.1", banner: "x".repeat(200) }),
    );
    const sizes = [...resultBatches(results)].map(({ length }) => length);
    expect(sizes).toEqual([MAX_RESULTS_PER_BATCH, MAX_RESULTS_PER_BATCH, 1]);
    expect([...resultBatches([])]).toEqual([]);
  });

  // A body over the limit is refused however often it is sent again: an agent could never get rid of it.
  test("fit the limit of a body, whatever their texts hold", () => {
    const hostile = "\u0000";
    const worst = result(65_535, {
      address: "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
      state: "filtered",
      reason: hostile.repeat(64),
      ttl: 255,
      service: hostile.repeat(255),
      product: hostile.repeat(255),
      version: hostile.repeat(255),
      cpe: hostile.repeat(255),
      banner: hostile.repeat(MAX_BANNER_LENGTH),
      macAddress: hostile.repeat(32),
      macVendor: hostile.repeat(255),
      observedAt: "2026-01-27T10:30:00.000000000Z",
    });
    const batches = [...resultBatches(Array.from({ length: 1_200 }, () => worst))];
    expect(batches.map(({ length }) => length).reduce((sum, length) => sum + length)).toBe(1_200);
    for (const results of batches) {
      const body = { leaseId: crypto.randomUUID(), batch: MAX_BATCHES_PER_JOB, results };
      expect(jobResultsRequestSchema.safeParse(body).success).toBe(true);
      const bytes = Buffer.byteLength(JSON.stringify(body));
      expect(bytes).toBeLessThanOrEqual(MAX_RESULT_BODY_BYTES);
    }
    expect(batches.length).toBeLessThan(4);
  });

  test("are the results, in their order, none empty", () => {
    const long = fc.record({ port: fc.nat(65_535), length: fc.constantFrom(0, 10, MAX_BANNER_LENGTH) });
    fc.assert(
      fc.property(fc.array(long, { maxLength: 2_000, size: "max" }), (rows) => {
        const results = rows.map(({ port, length }) => result(port, { banner: "\u0001".repeat(length) }));
        const batches = [...resultBatches(results)];
        expect(batches.flat()).toEqual(results);
        expect(batches.every(({ length }) => length > 0)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});
