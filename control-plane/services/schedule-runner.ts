/**
 * Runs schedules: each when it is due, once, in one replica, and never while its last scan goes on. A run that nobody
 * was there for is made up for once, however many were missed. Times are the database's.
 */

import { errorMessage, PortolanError } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import { findOpenScanOfSchedule } from "../store/scans.ts";
import {
  findDueSchedule,
  listWaitingSchedules,
  lockSchedule,
  type ScheduleRow,
  updateSchedule,
} from "../store/schedules.ts";
import { readClock, type Session, type Store } from "../store/store.ts";
import { recordAudit } from "./audit.ts";
import { refusal } from "./refusal.ts";
import { scanOfTemplate } from "./scan-requests.ts";
import { startScan } from "./scan-start.ts";
import { nextRun, storeNextRun } from "./schedule-row.ts";

/** Runs of one turn; others wait for the next. */
const MAX_RUNS_PER_TURN = 100;
const MAX_NOTE_LENGTH = 500;
const BATCH = 500;
/** Clocks are set back by this much and more; less is correction. */
const JUMP_MS = 1_000;
/** A clock set back by up to this repeats no run; set back by more, its past was wrong and does not count. */
const MAX_REMEMBERED_MS = 86_400_000;

export class ScheduleRunner {
  private readonly store: Store;
  private readonly log: Log;
  /** The database's time at the last turn. */
  private seenMs = Number.POSITIVE_INFINITY;

  constructor(store: Store, log: Log) {
    this.store = store;
    this.log = log;
  }

  /** One turn. Returns how many runs it dealt with. */
  async turn(): Promise<number> {
    const nowMs = await this.store.run(readClock);
    if (nowMs < this.seenMs - JUMP_MS && !(await this.replan())) return 0;
    this.seenMs = nowMs;
    let dealtWith = 0;
    while (dealtWith < MAX_RUNS_PER_TURN && (await this.runNext())) dealtWith++;
    return dealtWith;
  }

  /**
   * Starts a scan of the schedule now, enabled or not; its times stay as they are. Returns the scan's id.
   * @throws PortolanError NOT_FOUND, CONFLICT while its last scan goes on, and what starting a scan throws
   */
  async runNow(id: number, actor: string): Promise<number> {
    const scanId = await this.store.transaction(async (session) => {
      // Before the schedule, as whoever changes one has it.
      await session.dialect.holdLock(session.db, "catalogue");
      const row = await lockSchedule(session, id);
      if (row === undefined) throw refusal("NOT_FOUND", `no schedule ${id}`);
      const open = await findOpenScanOfSchedule(session, id);
      if (open !== undefined) {
        throw refusal("CONFLICT", `scan ${open.id} of this schedule is still going on`, { scanId: open.id });
      }
      const started = await begin(session, row, actor);
      await recordAudit(session, {
        actor,
        action: "schedule.run",
        object: `schedule:${id}`,
        detail: { scanId: started },
      });
      return started;
    });
    this.log.info("schedule.run", `Schedule ${id} was run by hand`, { scheduleId: id, scanId, actor });
    return scanId;
  }

  /** False when nothing is due, or another replica is at it. */
  private async runNext(): Promise<boolean> {
    const at: { schedule?: ScheduleRow } = {};
    try {
      const isMine = await this.store.tryExclusive("schedules", async (session) => {
        const due = await findDueSchedule(session);
        if (due === undefined) return;
        at.schedule = due;
        await this.runDue(session, due);
      });
      return isMine && at.schedule !== undefined;
    } catch (error) {
      const isAway = error instanceof PortolanError && error.code === "DATABASE_UNAVAILABLE";
      if (isAway || at.schedule === undefined) throw error;
      return this.noteFailure(at.schedule, errorMessage(error));
    }
  }

  private async runDue(session: Session, { id }: ScheduleRow): Promise<void> {
    // Before the schedule, as whoever changes one has it.
    await session.dialect.holdLock(session.db, "catalogue");
    const row = await lockSchedule(session, id);
    // It may have been changed, or deleted, before it was locked.
    if (row === undefined || row.next_run_at === null) return;
    const open = await findOpenScanOfSchedule(session, id);
    if (open !== undefined) {
      await this.passOver(session, row, `skipped: scan ${open.id} of this schedule was still going on`);
      return;
    }
    const scanId = await begin(session, row, `schedule:${row.name}`);
    await goOn(session, row);
    this.log.info("schedule.run", `Schedule ${row.name} started scan ${scanId}`, { scheduleId: id, scanId });
  }

  /** What the failed run did was undone, so the schedule is still due. */
  private async noteFailure({ id, next_run_at }: ScheduleRow, why: string): Promise<boolean> {
    return this.store.tryExclusive("schedules", async (session) => {
      const row = await lockSchedule(session, id);
      if (row !== undefined && row.next_run_at === next_run_at)
        await this.passOver(session, row, `failed: ${why}`);
    });
  }

  private async passOver(session: Session, row: ScheduleRow, note: string): Promise<void> {
    await goOn(session, row);
    await updateSchedule(session, row.id, {
      last_note: note.slice(0, MAX_NOTE_LENGTH),
      last_note_at: await readClock(session),
    });
    await recordAudit(session, {
      actor: "system",
      action: "schedule.passed-over",
      object: `schedule:${row.id}`,
      detail: { why: note.slice(0, MAX_NOTE_LENGTH) },
    });
    this.log.warning("schedule.passed-over", `Schedule ${row.name} made no scan: ${note}`, {
      scheduleId: row.id,
    });
  }

  /**
   * After the clock was set back, or after a start, when it may have been: runs that were planned by the wrong time, too
   * far ahead, are planned anew. False when another replica is at it.
   */
  private async replan(): Promise<boolean> {
    return this.store.tryExclusive("schedules", async (session) => {
      const nowMs = await readClock(session);
      let after = 0;
      for (;;) {
        const rows = await listWaitingSchedules(session, { limit: BATCH, after });
        for (const row of rows) await bringForward(session, row, nowMs);
        const last = rows.at(-1);
        if (last === undefined || rows.length < BATCH) return;
        after = last.id;
      }
    });
  }
}

async function begin(session: Session, row: ScheduleRow, actor: string): Promise<number> {
  const run = { templateId: row.template_id, name: row.name, priority: 0, scheduleId: row.id };
  const scanId = await startScan(session, await scanOfTemplate(session, run), actor);
  await updateSchedule(session, row.id, { last_scan_id: scanId, last_note: null, last_note_at: null });
  return scanId;
}

/** The run that was due is dealt with; those that were missed with it are too. */
async function goOn(session: Session, row: ScheduleRow): Promise<void> {
  if (row.next_run_at === null) return;
  await updateSchedule(session, row.id, { last_run_at: row.next_run_at });
  await storeNextRun(session, row.id, nextRun(row, row.next_run_at, await readClock(session)));
}

async function bringForward(session: Session, row: ScheduleRow, nowMs: number): Promise<void> {
  const { last_run_at, next_run_at } = row;
  const isRemembered =
    last_run_at !== null && last_run_at > nowMs && last_run_at - nowMs <= MAX_REMEMBERED_MS;
  const next = nextRun(row, isRemembered ? last_run_at : nowMs, nowMs);
  if (next !== undefined && next_run_at !== null && next.runAtMs < next_run_at) {
    await storeNextRun(session, row.id, next);
  }
}
