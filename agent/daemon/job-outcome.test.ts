/** A job's end: completed only when all of it was done. */

import { expect, test } from "bun:test";
import { jobCompleteRequestSchema, type ScanSummary } from "#shared/protocol/job.ts";
import { MAX_ERROR_LENGTH } from "#shared/protocol/limits.ts";
import { completionOf, type JobEnd } from "./job-outcome.ts";

const WHOLE: ScanSummary = {
  partial: false,
  ended: "done",
  link: "packet",
  addresses: 1,
  ports: 10,
  probesPlanned: 10,
  probesCovered: 10,
  coverage: 1,
  packetsSent: 10,
  packetsReceived: 10,
  packetsRejected: 0,
  duplicates: 0,
  sendErrors: 0,
  kernelDrops: 0,
  open: 1,
  closed: 9,
  filtered: 0,
  hostsUnreachable: 0,
  durationMs: 5,
  ratePps: 2_000,
};

const END: JobEnd = {
  cancelled: false,
  failure: undefined,
  summary: WHOLE,
  resultCount: 1,
  scanTimeoutSeconds: 60,
};

test("a whole scan is completed, with its summary and its count", () => {
  expect(completionOf(END)).toEqual({ status: "completed", resultCount: 1, summary: WHOLE });
});

test.each([
  ["cut short", { partial: true, coverage: 0.25, ended: "interrupted" }, "incomplete: 25.0 % of the probes"],
  ["with lost answers", { partial: true, kernelDrops: 7 }, "7 answers were lost"],
  ["out of time", { partial: true, coverage: 0.5, ended: "timed-out" }, "timed out after 60 s; 50.0 %"],
  ["out of time in its last pass", { ended: "timed-out" }, "timed out after 60 s; 100.0 %"],
] as const)("a scan %s has failed, and says how far it came", (_, change, reason) => {
  const completion = completionOf({ ...END, summary: { ...WHOLE, ...change } });
  expect(completion).toMatchObject({ status: "failed", errorMessage: expect.stringContaining(reason) });
});

test("a failure of the agent comes first, and fits the wire however long it is", () => {
  const completion = completionOf({ ...END, failure: "x".repeat(10 * MAX_ERROR_LENGTH) });
  expect(jobCompleteRequestSchema.parse({ ...completion, leaseId: crypto.randomUUID() }).status).toBe(
    "failed",
  );
});

test("no scan at all is no success", () => {
  expect(completionOf({ ...END, summary: undefined })).toMatchObject({ status: "failed" });
});

test("cancelled is cancelled, whatever else went wrong", () => {
  expect(completionOf({ ...END, cancelled: true, failure: "x" })).toEqual({
    status: "cancelled",
    resultCount: 1,
    summary: WHOLE,
  });
});
