/** How long what was found, and how scanners fared, is kept. Unset, what was found is kept for ever. */

import { z } from "zod";

const days = z.int().min(1).max(36_500).nullable();
/** Metrics come every minute from every scanner: they always end. */
const metricDays = z.int().min(1).max(3_650);

export const DEFAULT_METRICS_DAYS = 7;
export const DEFAULT_METRIC_AVERAGES_DAYS = 90;

/** Days from the day that the scan was made, or the change noticed; null keeps it for ever. */
export const retentionSchema = z.object({
  resultsDays: days,
  logsDays: days,
  changesDays: days,
  /** The metrics of every heartbeat. */
  metricsDays: metricDays,
  /** Their averages over five minutes. */
  metricAveragesDays: metricDays,
});
export type Retention = z.infer<typeof retentionSchema>;

/** `PUT /api/config/retention`; what is absent stays as it is. */
export const retentionUpdateRequestSchema = z.strictObject({
  resultsDays: days.optional(),
  logsDays: days.optional(),
  changesDays: days.optional(),
  metricsDays: metricDays.optional(),
  metricAveragesDays: metricDays.optional(),
});
export type RetentionUpdateRequest = z.infer<typeof retentionUpdateRequestSchema>;
