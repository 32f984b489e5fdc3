/** A schedule between its row, its view, and its next run. */

import { type ScheduleTiming, scheduleTimingSchema, type ScheduleView } from "#shared/protocol/schedule.ts";
import { findSchedule, type ScheduleRow, updateSchedule } from "../store/schedules.ts";
import type { Session } from "../store/store.ts";
import { refusal } from "./refusal.ts";
import { jitterMs, nextRunAfter } from "./schedule-times.ts";
import { readJson } from "./stored-json.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

export function timingOf(row: ScheduleRow): ScheduleTiming {
  return readJson(scheduleTimingSchema, row.timing);
}

export function scheduleView(row: ScheduleRow): ScheduleView {
  return {
    ...timingOf(row),
    id: row.id,
    name: row.name,
    templateId: row.template_id,
    timeZone: row.time_zone,
    jitterSeconds: row.jitter_seconds,
    enabled: row.enabled === 1,
    nextRunAt: isoTimeOrNull(row.fire_at),
    lastRunAt: isoTimeOrNull(row.last_run_at),
    lastScanId: row.last_scan_id,
    lastNote: row.last_note,
    createdBy: row.created_by,
    createdAt: isoTime(row.created_at),
    updatedAt: isoTime(row.updated_at),
  };
}

/** @throws PortolanError NOT_FOUND */
export async function requireSchedule(session: Session, id: number): Promise<ScheduleRow> {
  const row = await findSchedule(session, id);
  if (row === undefined) throw refusal("NOT_FOUND", `no schedule ${id}`);
  return row;
}

/** A run to come: the time that the timing names, and that time with its jitter. */
export interface NextRun {
  readonly runAtMs: number;
  readonly fireAtMs: number;
}

/**
 * The run after one that was, or after a moment. Runs whose time has passed already are missed; whoever asks has just
 * made up for them, or does not want them, so the next is one to come.
 */
export function nextRun(row: ScheduleRow, afterMs: number, nowMs: number): NextRun | undefined {
  const timing = timingOf(row);
  for (const after of [afterMs, Math.max(afterMs, nowMs)]) {
    const runAtMs = nextRunAfter(timing, row.time_zone, after);
    if (runAtMs === undefined) return undefined;
    const fireAtMs = runAtMs + jitterMs(row.id, runAtMs, row.jitter_seconds);
    if (fireAtMs > nowMs) return { runAtMs, fireAtMs };
  }
  throw new Error(`schedule ${row.id} has no time to come`);
}

export async function storeNextRun(session: Session, id: number, next: NextRun | undefined): Promise<void> {
  await updateSchedule(session, id, { next_run_at: next?.runAtMs ?? null, fire_at: next?.fireAtMs ?? null });
}
