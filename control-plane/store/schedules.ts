/** Queries on schedules. */

import type { Insertable, Selectable, Updateable } from "kysely";
import { type ListPage, nameContains } from "./catalogue.ts";
import type { Session } from "./store.ts";
import type { SchedulesTable } from "./tables.ts";

export type ScheduleRow = Selectable<SchedulesTable>;

export interface ScheduleFilter {
  readonly q?: string | undefined;
  readonly templateId?: number | undefined;
}

export async function listSchedules(
  { db }: Session,
  filter: ScheduleFilter,
  page: Pick<ListPage, "limit" | "after">,
): Promise<ScheduleRow[]> {
  let query = db.selectFrom("schedules").selectAll().orderBy("id").limit(page.limit);
  if (page.after !== undefined) query = query.where("id", ">", page.after);
  if (filter.q !== undefined) query = query.where(nameContains(filter.q));
  if (filter.templateId !== undefined) query = query.where("template_id", "=", filter.templateId);
  return query.execute();
}

export async function findSchedule({ db }: Session, id: number): Promise<ScheduleRow | undefined> {
  return db.selectFrom("schedules").selectAll().where("id", "=", id).executeTakeFirst();
}

export async function findScheduleByName({ db }: Session, name: string): Promise<{ id: number } | undefined> {
  return db.selectFrom("schedules").select("id").where("name", "=", name).executeTakeFirst();
}

/** Holds the schedule until the transaction ends. */
export async function lockSchedule({ db, dialect }: Session, id: number): Promise<ScheduleRow | undefined> {
  return dialect.lockRows(db.selectFrom("schedules").selectAll().where("id", "=", id)).executeTakeFirst();
}

export async function countSchedules({ db }: Session): Promise<number> {
  const { count } = await db
    .selectFrom("schedules")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return count;
}

export async function insertSchedule(
  { db, dialect }: Session,
  schedule: Omit<Insertable<SchedulesTable>, "id" | "created_at" | "updated_at">,
): Promise<number> {
  const { id } = await db
    .insertInto("schedules")
    .values({ ...schedule, created_at: dialect.nowMs(), updated_at: dialect.nowMs() })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

export async function updateSchedule(
  { db }: Session,
  id: number,
  change: Updateable<SchedulesTable>,
): Promise<void> {
  await db.updateTable("schedules").set(change).where("id", "=", id).execute();
}

export async function touchSchedule({ db, dialect }: Session, id: number): Promise<void> {
  await db.updateTable("schedules").set({ updated_at: dialect.nowMs() }).where("id", "=", id).execute();
}

export async function deleteSchedule({ db }: Session, id: number): Promise<void> {
  await db.deleteFrom("schedules").where("id", "=", id).execute();
}

/** The schedule that has been due for longest. */
export async function findDueSchedule({ db, dialect }: Session): Promise<ScheduleRow | undefined> {
  return db
    .selectFrom("schedules")
    .selectAll()
    .where("fire_at", "<=", dialect.nowMs())
    .orderBy("fire_at")
    .orderBy("id")
    .limit(1)
    .executeTakeFirst();
}

/** Schedules that wait for a time to come, those after the cursor. */
export async function listWaitingSchedules(
  { db }: Session,
  page: { readonly limit: number; readonly after: number },
): Promise<ScheduleRow[]> {
  return db
    .selectFrom("schedules")
    .selectAll()
    .where("next_run_at", "is not", null)
    .where("id", ">", page.after)
    .orderBy("id")
    .limit(page.limit)
    .execute();
}
