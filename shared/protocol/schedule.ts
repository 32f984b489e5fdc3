/** `/api/config/schedules`: which template is scanned when. What the times mean is in `docs/scans-and-jobs.md`. */

import { z } from "zod";
import { idSchema, numberParameter, pageQuerySchema, timestampSchema } from "./fields.ts";
import { MAX_CRON_LENGTH, MAX_JITTER_SECONDS, MAX_TIME_ZONE_LENGTH } from "./limits.ts";

const minute = z.int().min(0).max(59);
const hour = z.int().min(0).max(23);

/** The parts of a time that each kind has, by the clock of the schedule's time zone. */
const timing = {
  hourly: { kind: z.literal("hourly"), minute },
  daily: { kind: z.literal("daily"), hour, minute },
  /** 0 is Sunday. */
  weekly: { kind: z.literal("weekly"), dayOfWeek: z.int().min(0).max(6), hour, minute },
  /** The last day of months that have no such day. */
  monthly: { kind: z.literal("monthly"), dayOfMonth: z.int().min(1).max(31), hour, minute },
  /** Five fields: minute, hour, day of month, month, day of week. */
  cron: { kind: z.literal("cron"), cron: z.string().min(1).max(MAX_CRON_LENGTH) },
};

export const scheduleTimingSchema = z.discriminatedUnion("kind", [
  z.object(timing.hourly),
  z.object(timing.daily),
  z.object(timing.weekly),
  z.object(timing.monthly),
  z.object(timing.cron),
]);
export type ScheduleTiming = z.infer<typeof scheduleTimingSchema>;

const settings = {
  name: z.string().trim().min(1).max(255),
  templateId: idSchema,
  /** Of the IANA time zone database: `Europe/Berlin`. */
  timeZone: z.string().min(1).max(MAX_TIME_ZONE_LENGTH),
  /** Each run begins up to so much later, by chance. */
  jitterSeconds: z.int().min(0).max(MAX_JITTER_SECONDS),
  enabled: z.boolean(),
};
const settingsWithDefaults = {
  ...settings,
  timeZone: settings.timeZone.default("UTC"),
  jitterSeconds: settings.jitterSeconds.default(0),
  enabled: settings.enabled.default(true),
};

/** `POST /api/config/schedules`, and `PUT …/:id`, which replaces all of it. */
export const scheduleRequestSchema = z.discriminatedUnion("kind", [
  z.strictObject({ ...settingsWithDefaults, ...timing.hourly }),
  z.strictObject({ ...settingsWithDefaults, ...timing.daily }),
  z.strictObject({ ...settingsWithDefaults, ...timing.weekly }),
  z.strictObject({ ...settingsWithDefaults, ...timing.monthly }),
  z.strictObject({ ...settingsWithDefaults, ...timing.cron }),
]);
export type ScheduleRequest = z.infer<typeof scheduleRequestSchema>;

/** `PATCH /api/config/schedules/:id`: what is absent stays as it is. Times are changed by `PUT`. */
export const schedulePatchSchema = z.strictObject(settings).partial();
export type SchedulePatch = z.infer<typeof schedulePatchSchema>;

const state = {
  id: idSchema,
  ...settings,
  name: z.string(),
  timeZone: z.string(),
  /** When it fires next, jitter included; null when it is disabled. */
  nextRunAt: timestampSchema.nullable(),
  /** The time, by its timing, of the run that was dealt with last. */
  lastRunAt: timestampSchema.nullable(),
  lastScanId: idSchema.nullable(),
  /** Why the last run made no scan; null when it made one. */
  lastNote: z.string().nullable(),
  createdBy: z.string(),
  createdAt: timestampSchema,
  updatedAt: timestampSchema,
};

export const scheduleViewSchema = z.discriminatedUnion("kind", [
  z.object({ ...state, ...timing.hourly }),
  z.object({ ...state, ...timing.daily }),
  z.object({ ...state, ...timing.weekly }),
  z.object({ ...state, ...timing.monthly }),
  z.object({ ...state, ...timing.cron }),
]);
export type ScheduleView = z.infer<typeof scheduleViewSchema>;

/** `GET /api/config/schedules` */
export const schedulesQuerySchema = pageQuerySchema.extend({
  /** Part of the name, in any case. */
  q: z.string().min(1).max(255).optional(),
  templateId: numberParameter(z.int().positive()).optional(),
});
export const scheduleListSchema = z.object({
  schedules: z.array(scheduleViewSchema),
  nextCursor: z.int().nullable(),
});
