/** Schedules as operators configure them. Their running is in `schedule-runner.ts`. */

import type { Log } from "#shared/log.ts";
import { MAX_SCHEDULES } from "#shared/protocol/limits.ts";
import {
  type SchedulePatch,
  type ScheduleRequest,
  type ScheduleTiming,
  scheduleTimingSchema,
  type ScheduleView,
} from "#shared/protocol/schedule.ts";
import {
  countSchedules,
  deleteSchedule,
  findScheduleByName,
  insertSchedule,
  listSchedules,
  type ScheduleFilter,
  type ScheduleRow,
  touchSchedule,
  updateSchedule,
} from "../store/schedules.ts";
import { readClock, type Session, type Store } from "../store/store.ts";
import { requireReferences, type Written, writeCatalogue } from "./catalogue-rules.ts";
import { fieldError } from "./field-errors.ts";
import { type Page, pageOf } from "./page.ts";
import { refusal } from "./refusal.ts";
import { nextRun, requireSchedule, scheduleView, storeNextRun } from "./schedule-row.ts";
import { cronProblem, isTimeZone } from "./schedule-times.ts";

/** The columns that operators write. */
type Columns = Pick<
  ScheduleRow,
  "name" | "template_id" | "timing" | "time_zone" | "jitter_seconds" | "enabled"
>;

export class Schedules {
  private readonly deps: { readonly store: Store; readonly log: Log };

  constructor(store: Store, log: Log) {
    this.deps = { store, log };
  }

  async list(filter: ScheduleFilter, limit: number, cursor: number | undefined): Promise<Page<ScheduleView>> {
    return this.deps.store.run(async (session) => {
      const page = { limit: limit + 1, after: cursor };
      const { rows, nextCursor } = pageOf(await listSchedules(session, filter, page), limit);
      return { rows: rows.map(scheduleView), nextCursor };
    });
  }

  /** @throws PortolanError NOT_FOUND */
  async get(id: number): Promise<ScheduleView> {
    return scheduleView(await this.deps.store.run((session) => requireSchedule(session, id)));
  }

  /** @throws PortolanError INVALID_REQUEST naming the field, CONFLICT when the name is taken, LIMIT_REACHED */
  async create(request: ScheduleRequest, actor: string): Promise<ScheduleView> {
    const columns = readRequest(request);
    return writeCatalogue(this.deps, actor, async (session) => {
      await requireReferred(session, columns, undefined);
      if ((await countSchedules(session)) >= MAX_SCHEDULES) {
        throw refusal("LIMIT_REACHED", `at most ${MAX_SCHEDULES} schedules are possible`, {
          limit: MAX_SCHEDULES,
        });
      }
      const id = await insertSchedule(session, { ...columns, created_by: actor });
      await planAnew(session, id);
      return written(session, id, "schedule.created", { ...request });
    });
  }

  /** @throws PortolanError NOT_FOUND, and as `create` */
  async replace(id: number, request: ScheduleRequest, actor: string): Promise<ScheduleView> {
    return this.change(id, actor, { ...request }, () => readRequest(request));
  }

  /** @throws PortolanError NOT_FOUND, and as `create` */
  async patch(id: number, patch: SchedulePatch, actor: string): Promise<ScheduleView> {
    return this.change(id, actor, { ...patch }, (row) => {
      if (patch.timeZone !== undefined) requireTimeZone(patch.timeZone);
      return {
        name: patch.name ?? row.name,
        template_id: patch.templateId ?? row.template_id,
        timing: row.timing,
        time_zone: patch.timeZone ?? row.time_zone,
        jitter_seconds: patch.jitterSeconds ?? row.jitter_seconds,
        enabled: patch.enabled === undefined ? row.enabled : Number(patch.enabled),
      };
    });
  }

  /** Its scans stay, and go on. @throws PortolanError NOT_FOUND */
  async delete(id: number, actor: string): Promise<void> {
    await writeCatalogue(this.deps, actor, async (session) => {
      const { name } = await requireSchedule(session, id);
      await deleteSchedule(session, id);
      return {
        result: undefined,
        entry: { action: "schedule.deleted", object: `schedule:${id}`, detail: { name } },
      };
    });
  }

  private async change(
    id: number,
    actor: string,
    detail: Readonly<Record<string, unknown>>,
    changed: (row: ScheduleRow) => Columns,
  ): Promise<ScheduleView> {
    return writeCatalogue(this.deps, actor, async (session) => {
      const row = await requireSchedule(session, id);
      const columns = changed(row);
      await requireReferred(session, columns, id);
      await updateSchedule(session, id, columns);
      // Else a run that is due, and waits for its jitter, would be forgotten.
      if (isRetimed(row, columns)) await planAnew(session, id);
      return written(session, id, "schedule.updated", detail);
    });
  }
}

/** @throws PortolanError INVALID_REQUEST naming the field and what is wrong in it */
function readRequest(request: ScheduleRequest): Columns {
  requireTimeZone(request.timeZone);
  const timing: ScheduleTiming = scheduleTimingSchema.parse(request);
  const problem = timing.kind === "cron" ? cronProblem(timing.cron) : undefined;
  if (timing.kind === "cron" && problem !== undefined) {
    throw fieldError("INVALID_REQUEST", "cron", timing.cron, problem);
  }
  return {
    name: request.name,
    template_id: request.templateId,
    timing: JSON.stringify(timing),
    time_zone: request.timeZone,
    jitter_seconds: request.jitterSeconds,
    enabled: Number(request.enabled),
  };
}

function requireTimeZone(name: string): void {
  if (isTimeZone(name)) return;
  throw fieldError(
    "INVALID_REQUEST",
    "timeZone",
    name,
    "is no time zone of the IANA database, such as Europe/Berlin",
  );
}

async function requireReferred(session: Session, columns: Columns, ownId: number | undefined): Promise<void> {
  await requireReferences(session, "templateId", "scan_templates", [columns.template_id]);
  const other = await findScheduleByName(session, columns.name);
  if (other !== undefined && other.id !== ownId) {
    throw fieldError("CONFLICT", "name", columns.name, "there is a schedule of this name already");
  }
}

function isRetimed(before: ScheduleRow, after: Columns): boolean {
  return (["timing", "time_zone", "jitter_seconds", "enabled"] as const).some(
    (column) => before[column] !== after[column],
  );
}

/** From now on by its present timing; what it missed before is forgotten. */
async function planAnew(session: Session, id: number): Promise<void> {
  const row = await requireSchedule(session, id);
  const nowMs = await readClock(session);
  await storeNextRun(session, id, row.enabled === 1 ? nextRun(row, nowMs, nowMs) : undefined);
}

async function written(
  session: Session,
  id: number,
  action: string,
  detail: Readonly<Record<string, unknown>>,
): Promise<Written<ScheduleView>> {
  await touchSchedule(session, id);
  const result = scheduleView(await requireSchedule(session, id));
  return { result, entry: { action, object: `schedule:${id}`, detail } };
}
