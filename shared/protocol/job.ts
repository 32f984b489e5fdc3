/**
 * Jobs: what the control plane asks of one scanner, and how the scanner tells what came of it.
 *
 * A job is claimed under a lease. Every later call names the lease; a call renews it. When it runs out, the job may be
 * handed to another agent under a new lease, and calls with the old one answer 409 JOB_NOT_YOURS.
 * Results travel in batches numbered from 1 under a lease; a batch that arrives twice counts once.
 */

import { z } from "zod";
import {
  addressSchema,
  idSchema,
  numberParameter,
  observedTextSchema,
  portStateSchema,
  protocolSchema,
  rateSchema,
  timestampSchema,
} from "./fields.ts";
import {
  MAX_BANNER_LENGTH,
  MAX_BATCHES_PER_JOB,
  MAX_ERROR_LENGTH,
  MAX_JOBS_PER_POLL,
  MAX_LOG_LINES_PER_BATCH,
  MAX_LOG_MESSAGE_LENGTH,
  MAX_POLL_WAIT_SECONDS,
  MAX_PORT_SPEC_LENGTH,
  MAX_RESULTS_PER_BATCH,
  MAX_RETRIES,
  MAX_TARGET_LENGTH,
  MAX_TARGET_RANGES,
  MAX_TARGETS_PER_JOB,
} from "./limits.ts";

export const jobStatusSchema = z.enum(["pending", "assigned", "running", "completed", "failed", "cancelled"]);
export type JobStatus = z.infer<typeof jobStatusSchema>;

/** `syn` sends raw packets, `connect` asks the kernel, `nmap` has an installed nmap do it. */
export const scanEngineSchema = z.enum(["syn", "connect", "nmap"]);
export type ScanEngine = z.infer<typeof scanEngineSchema>;

/** Addresses and ports to combine. Resolved, de-duplicated, exclusions already taken out. */
export const jobTargetSchema = z.object({
  /** Canonical texts of `shared/net/target-spec`: `10.0.0.0/24`, `10.0.1.1-10.0.1.9`, `2001:db8::1`. */
  addresses: z.array(z.string().min(1).max(MAX_TARGET_LENGTH)).min(1).max(MAX_TARGET_RANGES),
  /** Canonical text of `shared/net/port-spec`: `22,80-443,U:53`. */
  ports: z.string().min(1).max(MAX_PORT_SPEC_LENGTH),
});
export type JobTarget = z.infer<typeof jobTargetSchema>;

export const jobOptionsSchema = z.object({
  /** Probes after the first to what did not answer. */
  retries: z.int().min(0).max(MAX_RETRIES),
  /** How long an answer may take. */
  portTimeoutMs: z.int().min(50).max(60_000),
  /** The whole job stops after this; what was found is kept. */
  scanTimeoutSeconds: z.int().min(1).max(604_800),
  /** States to send as results. The summary counts all three whatever is asked here. */
  reportStates: z.array(portStateSchema).min(1).max(3),
});
export type JobOptions = z.infer<typeof jobOptionsSchema>;

/** Finding ports comes first, asking what answers on them second. */
export const jobPhasesSchema = z.object({
  discoveryTimeoutSeconds: z.int().min(1),
  serviceTimeoutSeconds: z.int().min(0),
  /** Share of the job's progress that is reached when discovery is done. */
  discoveryProgress: z.number().min(0).max(1),
});
export type JobPhases = z.infer<typeof jobPhasesSchema>;

export const jobSchema = z.object({
  jobId: idSchema,
  scanId: idSchema,
  /** Names this claim in every later call about the job. */
  leaseId: z.uuid(),
  leaseExpiresAt: timestampSchema,
  attempt: z.int().min(1),
  targets: z.array(jobTargetSchema).min(1).max(MAX_TARGETS_PER_JOB),
  /** The lowest of the limits that apply; 0 means unlimited. */
  maxProbesPerSecond: rateSchema,
  /** The scanner's own limit, over all its jobs together; 0 means unlimited. Not told: it stays as it was. */
  scannerProbesPerSecond: rateSchema.optional(),
  /** Higher runs first; 0 where it is not told. */
  priority: z.int().min(0).max(100).optional(),
  /** `syn` falls back to `connect` where the agent may not send raw packets, and the summary says so. */
  engine: scanEngineSchema,
  options: jobOptionsSchema,
  /** Ask open ports what answers on them. */
  serviceDetection: z.boolean().optional(),
  /** With service detection or nmap: how time and progress are divided. */
  phases: jobPhasesSchema.optional(),
});
export type Job = z.infer<typeof jobSchema>;

/** `GET /scanner/jobs?wait=s` claims pending jobs, waiting up to `wait` seconds for the first. */
export const jobsQuerySchema = z.object({
  wait: numberParameter(z.int().min(0).max(MAX_POLL_WAIT_SECONDS)).default(0),
  max: numberParameter(z.int().min(1).max(MAX_JOBS_PER_POLL)).default(1),
});
export const jobsResponseSchema = z.object({ jobs: z.array(jobSchema).max(MAX_JOBS_PER_POLL) });
export type JobsResponse = z.infer<typeof jobsResponseSchema>;

/** Answer to every call about a job: how an operator's decision reaches a running scan. */
export const jobDirectiveSchema = z.object({
  ok: z.literal(true),
  /** True: stop sending, deliver what was found, complete. */
  cancel: z.boolean(),
  maxProbesPerSecond: rateSchema,
  /** As in the job: of all the scanner's jobs together, whichever of them the call was about. */
  scannerProbesPerSecond: rateSchema.optional(),
});
export type JobDirective = z.infer<typeof jobDirectiveSchema>;

const lease = { leaseId: z.uuid() };

/** `POST /scanner/jobs/:id/start` */
export const jobStartRequestSchema = z.object(lease);

/** `POST /scanner/jobs/:id/progress`: probes sent so far and results found so far, both growing. */
export const jobProgressRequestSchema = z.object({
  ...lease,
  progressCount: z.int().min(0),
  resultCount: z.int().min(0),
  /** Share of the planned probes that were sent, 0 to 1. */
  coverage: z.number().min(0).max(1).optional(),
});
export type JobProgressRequest = z.infer<typeof jobProgressRequestSchema>;

/** One port of one address, as seen from this scanner. */
export const portResultSchema = z.object({
  address: addressSchema,
  port: z.int().min(0).max(65_535),
  protocol: protocolSchema,
  state: portStateSchema,
  /** Why: `syn-ack`, `reset`, `no-response`, `host-unreachable`, `admin-prohibited`, … */
  reason: observedTextSchema(64).min(1),
  /** Time to live of the answer. */
  ttl: z.int().min(0).max(255).optional(),
  service: observedTextSchema(255).optional(),
  product: observedTextSchema(255).optional(),
  version: observedTextSchema(255).optional(),
  cpe: observedTextSchema(255).optional(),
  banner: observedTextSchema(MAX_BANNER_LENGTH).optional(),
  macAddress: observedTextSchema(32).optional(),
  macVendor: observedTextSchema(255).optional(),
  observedAt: timestampSchema,
});
export type PortResult = z.infer<typeof portResultSchema>;

/** One address, as host discovery or a port scan saw it. */
export const hostResultSchema = z.object({
  address: portResultSchema.shape.address,
  state: z.enum(["up", "down"]),
  /** Why: `echo-reply`, `arp-reply`, `syn-ack`, `reset`, `no-response`, … */
  reason: observedTextSchema(64).min(1),
  /** Time to live of the answer. */
  ttl: z.int().min(0).max(255).optional(),
  macAddress: observedTextSchema(32).optional(),
  macVendor: observedTextSchema(255).optional(),
  hostname: observedTextSchema(255).optional(),
  /** Why its open ports are not to be believed. */
  suspicious: z.enum(["answers-on-every-port"]).optional(),
  observedAt: timestampSchema,
});
export type HostResult = z.infer<typeof hostResultSchema>;

/** `POST /scanner/jobs/:id/results` */
export const jobResultsRequestSchema = z.object({
  ...lease,
  batch: z.int().min(1).max(MAX_BATCHES_PER_JOB),
  results: z.array(portResultSchema).min(1).max(MAX_RESULTS_PER_BATCH),
});
export type JobResultsRequest = z.infer<typeof jobResultsRequestSchema>;

/** `POST /scanner/jobs/:id/logs` */
export const jobLogsRequestSchema = z.object({
  ...lease,
  batch: z.int().min(1).max(MAX_BATCHES_PER_JOB),
  logs: z
    .array(
      z.object({
        timestamp: timestampSchema,
        level: z.enum(["debug", "info", "warning", "error"]),
        message: observedTextSchema(MAX_LOG_MESSAGE_LENGTH),
      }),
    )
    .min(1)
    .max(MAX_LOG_LINES_PER_BATCH),
});
export type JobLogsRequest = z.infer<typeof jobLogsRequestSchema>;

const count = z.int().min(0);
const share = z.number().min(0).max(1);

/** Capture-recapture over the passes of a scan; bounds are those of the 95 % interval. */
export const lossEstimateSchema = z.object({
  /** Chance that one probe or its answer is lost. */
  loss: share,
  lossLow: share,
  lossHigh: share,
  /** Share found of the TCP ports that would answer. */
  completeness: share,
  completenessLow: share,
  completenessHigh: share,
  /** Open ports that are probably there and were not found. */
  missedOpen: z.number().min(0),
});
export type LossEstimate = z.infer<typeof lossEstimateSchema>;

/** What a scan did and how complete it is. The terminal prints the same facts. */
export const scanSummarySchema = z.object({
  /** True when not every planned probe was sent, the scan was cut short, or answers were lost on the scanner's host. */
  partial: z.boolean(),
  /** Why the scan ended: `done`, `interrupted`, `cancelled`, `timed-out`, `failed`. */
  ended: z.enum(["done", "interrupted", "cancelled", "timed-out", "failed"]),
  link: z.string().max(64),
  addresses: count,
  ports: count,
  probesPlanned: count,
  /** Distinct address and port pairs probed at least once. */
  probesCovered: count,
  /** probesCovered / probesPlanned */
  coverage: z.number().min(0).max(1),
  packetsSent: count,
  packetsReceived: count,
  /** Answers that no probe of this scan explains: late, forged or broken. */
  packetsRejected: count,
  duplicates: count,
  sendErrors: count,
  kernelDrops: count,
  open: count,
  closed: count,
  filtered: count,
  /** Addresses on the local link that did not answer ARP; their ports count as filtered. */
  hostsUnreachable: count,
  durationMs: z.number().min(0),
  ratePps: z.number().min(0),
  /** How many ports were missed, told from what only a later pass found; absent where the scan cannot tell. */
  lossEstimate: lossEstimateSchema.optional(),
  /** Hosts that answer on every port, and open ports of theirs that were not listed. */
  hostsSuspicious: count.optional(),
  openWithheld: count.optional(),
});
export type ScanSummary = z.infer<typeof scanSummarySchema>;

/** `POST /scanner/jobs/:id/complete`. Results must be delivered before: `completed` is refused while fewer or more than `resultCount` have arrived. */
export const jobCompleteRequestSchema = z.object({
  ...lease,
  status: z.enum(["completed", "failed", "cancelled"]),
  resultCount: z.int().min(0),
  errorMessage: observedTextSchema(MAX_ERROR_LENGTH).optional(),
  summary: scanSummarySchema.optional(),
});
export type JobCompleteRequest = z.infer<typeof jobCompleteRequestSchema>;
