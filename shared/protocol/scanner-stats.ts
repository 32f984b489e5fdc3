/** `GET /api/scanners/:id/stats`: the metrics of a scanner's heartbeats over time. */

import { z } from "zod";
import { idSchema, numberParameter, timestampSchema } from "./fields.ts";

export const scannerStatsQuerySchema = z.object({
  /** Unset: 24 hours before `to`. */
  from: timestampSchema.optional(),
  /** Exclusive. Unset: now. */
  to: timestampSchema.optional(),
  /** Seconds that one point stands for. Unset: as many as give about 300 points, and not less than a heartbeat's. */
  step: numberParameter(z.int().min(1).max(31_536_000)).optional(),
});
export type ScannerStatsQuery = z.infer<typeof scannerStatsQuerySchema>;

const amount = z.number().min(0).nullable();

/** Means of load and memory; the highest of traffic counters (totals since the host's boot) and of CPUs. */
export const scannerStatsPointSchema = z.object({
  at: timestampSchema,
  samples: z.int().min(1),
  loadAvg1m: amount,
  loadAvg5m: amount,
  loadAvg15m: amount,
  memoryTotalBytes: amount,
  memoryAvailableBytes: amount,
  networkRxBytes: amount,
  networkTxBytes: amount,
  numCpus: amount,
});

export const scannerStatsSchema = z.object({
  scannerId: idSchema,
  from: timestampSchema,
  to: timestampSchema,
  stepSeconds: z.int().positive(),
  /** Oldest first; steps without a heartbeat are left out. */
  points: z.array(scannerStatsPointSchema),
});
export type ScannerStats = z.infer<typeof scannerStatsSchema>;
