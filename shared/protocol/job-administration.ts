/** `/api/jobs`: jobs as operators see them, those that are stuck, and how they are repaired. */

import { z } from "zod";
import {
  idParameterSchema,
  idSchema,
  pageQuerySchema,
  prioritySchema,
  rateSchema,
  timestampSchema,
} from "./fields.ts";
import { jobStatusSchema } from "./job.ts";
import { jobViewSchema } from "./operator.ts";

export const jobListItemSchema = jobViewSchema.omit({ summary: true }).extend({
  scanId: idSchema,
  scanName: z.string(),
  /** From where it looks: `scanner:7`, or `subnet:3` for the pool of scanners that a subnet is assigned to. */
  vantage: z.string().nullable(),
  priority: prioritySchema,
  probes: z.int().min(0),
  /** The lowest limit of what it scans; its scanner's own limit may be lower. */
  maxProbesPerSecond: rateSchema,
  /** How long it should take. */
  estimateSeconds: z.int().min(0),
  createdAt: timestampSchema,
  startedAt: timestampSchema.nullable(),
  endedAt: timestampSchema.nullable(),
});
export type JobListItem = z.infer<typeof jobListItemSchema>;

/** `GET /api/jobs`, newest first. */
export const jobsListQuerySchema = pageQuerySchema.extend({
  status: jobStatusSchema.optional(),
  scanId: idParameterSchema.optional(),
  scannerId: idParameterSchema.optional(),
});
export const jobListSchema = z.object({ jobs: z.array(jobListItemSchema), nextCursor: z.int().nullable() });

/** Why a job counts as stuck. `limits.ts` has the thresholds. */
export const stuckClassSchema = z.enum([
  "stuck_pending",
  "stuck_assigned",
  "stuck_running",
  "no_heartbeat",
  "expired",
  "scanner_disabled",
  "binding_changed",
  "agent_outdated",
]);
export type StuckClass = z.infer<typeof stuckClassSchema>;

export const jobRepairSchema = z.enum(["redispatch", "reassign", "fail"]);
export type JobRepair = z.infer<typeof jobRepairSchema>;

/** `GET /api/jobs/stuck`, oldest first. */
export const stuckJobsQuerySchema = pageQuerySchema.extend({ class: stuckClassSchema.optional() });
export const stuckJobSchema = jobListItemSchema.extend({
  classes: z.array(stuckClassSchema).min(1),
  repairs: z.array(jobRepairSchema),
});
export type StuckJob = z.infer<typeof stuckJobSchema>;
export const stuckJobListSchema = z.object({ jobs: z.array(stuckJobSchema), nextCursor: z.int().nullable() });

/** `POST /api/jobs/:id/reassign`: to this candidate, or to the one that has least to do. */
export const jobReassignRequestSchema = z.strictObject({ scannerId: idSchema.optional() });
export type JobReassignRequest = z.infer<typeof jobReassignRequestSchema>;

/** `POST /api/jobs/:id/fail` */
export const jobFailRequestSchema = z.strictObject({ reason: z.string().trim().min(1).max(500).optional() });
