/** Jobs on the wire: what a real exchange looks like, and what is refused. */

import { describe, expect, test } from "bun:test";
import {
  type Job,
  jobCompleteRequestSchema,
  type JobResultsRequest,
  jobLogsRequestSchema,
  jobProgressRequestSchema,
  jobResultsRequestSchema,
  jobSchema,
  jobsQuerySchema,
  jobsResponseSchema,
  type ScanSummary,
  scanSummarySchema,
} from "./job.ts";
import * as limits from "./limits.ts";

const LEASE_ID = "6f1c2a52-3b0e-4d7e-9a35-0d5c1b6e8f10";

const job: Job = {
  jobId: 1,
  scanId: 2,
  leaseId: LEASE_ID,
  leaseExpiresAt: "2026-01-27T10:32:00.000Z",
  attempt: 1,
  targets: [{ addresses: ["10.0.0.0/24", "10.0.1.1-10.0.1.9"], ports: "22,80-443,U:53" }],
  maxProbesPerSecond: 0,
  engine: "syn",
  options: { retries: 1, portTimeoutMs: 1_500, scanTimeoutSeconds: 3_600, reportStates: ["open"] },
};

const batch: JobResultsRequest = {
  leaseId: LEASE_ID,
  batch: 1,
  results: [
    {
      address: "10.0.0.1",
      port: 22,
      protocol: "tcp",
      state: "open",
      reason: "syn-ack",
      observedAt: "2026-01-27T10:30:00.000Z",
    },
  ],
};

const summary: ScanSummary = {
  partial: false,
  ended: "done",
  link: "packet",
  addresses: 256,
  ports: 2,
  probesPlanned: 512,
  probesCovered: 512,
  coverage: 1,
  packetsSent: 512,
  packetsReceived: 40,
  packetsRejected: 0,
  duplicates: 0,
  sendErrors: 0,
  kernelDrops: 0,
  open: 3,
  closed: 37,
  filtered: 472,
  hostsUnreachable: 0,
  durationMs: 1_234.5,
  ratePps: 415.2,
};

describe("job", () => {
  test("is read as it was sent", () => {
    expect(jobSchema.parse(job)).toEqual(job);
  });

  test.each([
    ["no targets", { ...job, targets: [] }],
    ["no addresses", { ...job, targets: [{ addresses: [], ports: "22" }] }],
    ["no ports", { ...job, targets: [{ addresses: ["10.0.0.1"], ports: "" }] }],
    ["no state to report", { ...job, options: { ...job.options, reportStates: [] } }],
    ["an engine we do not have", { ...job, engine: "masscan" }],
    ["a rate above the maximum", { ...job, maxProbesPerSecond: limits.MAX_RATE_PPS + 1 }],
    ["too many retries", { ...job, options: { ...job.options, retries: limits.MAX_RETRIES + 1 } }],
    ["a lease that is no UUID", { ...job, leaseId: "1" }],
    ["attempt 0", { ...job, attempt: 0 }],
  ])("is refused with %s", (_, given) => {
    expect(jobSchema.safeParse(given).success).toBe(false);
  });

  test("fields that a newer control plane adds are ignored", () => {
    expect(jobSchema.parse({ ...job, novelty: true })).toEqual(job);
  });
});

describe("poll", () => {
  test("asks for one job at once unless told otherwise", () => {
    expect(jobsQuerySchema.parse({})).toEqual({ wait: 0, max: 1 });
    expect(jobsQuerySchema.parse({ wait: "30", max: "2" })).toEqual({ wait: 30, max: 2 });
  });

  test.each([{ wait: "-1" }, { wait: "56" }, { wait: "soon" }, { max: "0" }, { max: "9" }])(
    "refuses %j",
    (query) => {
      expect(jobsQuerySchema.safeParse(query).success).toBe(false);
    },
  );

  test("answers no more jobs than may be asked for", () => {
    const jobs = Array.from({ length: limits.MAX_JOBS_PER_POLL + 1 }, () => job);
    expect(jobsResponseSchema.safeParse({ jobs }).success).toBe(false);
    expect(jobsResponseSchema.safeParse({ jobs: jobs.slice(1) }).success).toBe(true);
    expect(jobsResponseSchema.safeParse({ jobs: [] }).success).toBe(true);
  });
});

describe("results", () => {
  const [result] = batch.results;

  test("are read as they were sent", () => {
    expect(jobResultsRequestSchema.parse(batch)).toEqual(batch);
  });

  test("come in batches numbered from 1, neither empty nor over the maximum", () => {
    const rows = Array.from({ length: limits.MAX_RESULTS_PER_BATCH + 1 }, () => result);
    expect(jobResultsRequestSchema.safeParse({ ...batch, results: rows.slice(1) }).success).toBe(true);
    expect(jobResultsRequestSchema.safeParse({ ...batch, results: rows }).success).toBe(false);
    expect(jobResultsRequestSchema.safeParse({ ...batch, results: [] }).success).toBe(false);
    expect(jobResultsRequestSchema.safeParse({ ...batch, batch: 0 }).success).toBe(false);
  });

  test.each([
    ["address", "example.org"],
    ["port", 65_536],
    ["port", "22"],
    ["protocol", "sctp"],
    ["state", "open|filtered"],
    ["reason", ""],
    ["ttl", 256],
    ["banner", "x".repeat(limits.MAX_BANNER_LENGTH + 1)],
    ["observedAt", "yesterday"],
  ])("refuse a wrong %s", (field, value) => {
    const results = [{ ...result, [field]: value }];
    expect(jobResultsRequestSchema.safeParse({ ...batch, results }).success).toBe(false);
  });
});

describe("progress", () => {
  test("counts from 0 and covers at most everything", () => {
    const progress = { leaseId: LEASE_ID, progressCount: 0, resultCount: 0 };
    expect(jobProgressRequestSchema.safeParse(progress).success).toBe(true);
    expect(jobProgressRequestSchema.safeParse({ ...progress, coverage: 1 }).success).toBe(true);
    expect(jobProgressRequestSchema.safeParse({ ...progress, coverage: 1.01 }).success).toBe(false);
    expect(jobProgressRequestSchema.safeParse({ ...progress, progressCount: -1 }).success).toBe(false);
    expect(jobProgressRequestSchema.safeParse({ progressCount: 0, resultCount: 0 }).success).toBe(false);
  });
});

describe("logs", () => {
  const line = { timestamp: "2026-01-27T10:30:00.000Z", level: "info", message: "Scan started" };

  test("take the four levels and messages up to their maximum", () => {
    const read = (fields: object): boolean =>
      jobLogsRequestSchema.safeParse({ leaseId: LEASE_ID, batch: 1, logs: [{ ...line, ...fields }] }).success;
    for (const level of ["debug", "info", "warning", "error"]) expect(read({ level })).toBe(true);
    expect(read({ level: "fatal" })).toBe(false);
    expect(read({ message: "x".repeat(limits.MAX_LOG_MESSAGE_LENGTH) })).toBe(true);
    expect(read({ message: "x".repeat(limits.MAX_LOG_MESSAGE_LENGTH + 1) })).toBe(false);
  });
});

describe("completion", () => {
  test("carries the summary", () => {
    const complete = { leaseId: LEASE_ID, status: "completed", resultCount: 3, summary };
    expect(jobCompleteRequestSchema.parse(complete)).toMatchObject(complete);
  });

  test("needs no summary when a job failed before it began", () => {
    const complete = {
      leaseId: LEASE_ID,
      status: "failed",
      resultCount: 0,
      errorMessage: "no such interface",
    };
    expect(jobCompleteRequestSchema.safeParse(complete).success).toBe(true);
  });

  test.each([
    ["a state that is no end", { status: "running" }],
    ["a negative count", { resultCount: -1 }],
    ["an endless reason", { errorMessage: "x".repeat(limits.MAX_ERROR_LENGTH + 1) }],
    ["a summary with fields missing", { summary: { partial: false } }],
  ])("is refused with %s", (_, fields) => {
    const complete = { leaseId: LEASE_ID, status: "failed", resultCount: 0, ...fields };
    expect(jobCompleteRequestSchema.safeParse(complete).success).toBe(false);
  });

  test.each([{ coverage: 1.5 }, { open: -1 }, { packetsSent: 0.5 }, { ended: "fine" }, { durationMs: NaN }])(
    "a summary is refused with %j",
    (fields) => {
      expect(scanSummarySchema.safeParse({ ...summary, ...fields }).success).toBe(false);
    },
  );
});
