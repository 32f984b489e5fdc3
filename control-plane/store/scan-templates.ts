/** Queries on scan templates; what they refer to is in `links.ts`. */

import type { Insertable, Selectable } from "kysely";
import { type ListPage, nameContains } from "./catalogue.ts";
import type { Session } from "./store.ts";
import type { ScanTemplatesTable } from "./tables.ts";

export type ScanTemplateRow = Selectable<ScanTemplatesTable>;
export type NewScanTemplate = Omit<
  Insertable<ScanTemplatesTable>,
  "id" | "created_at" | "updated_at" | "deleted_at"
>;
export type ScanTemplateChange = Omit<NewScanTemplate, "created_by">;

export async function insertScanTemplate(
  { db, dialect }: Session,
  template: NewScanTemplate,
): Promise<number> {
  const { id } = await db
    .insertInto("scan_templates")
    .values({ ...template, created_at: dialect.nowMs(), updated_at: dialect.nowMs() })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

export async function updateScanTemplate(
  { db, dialect }: Session,
  id: number,
  change: ScanTemplateChange,
): Promise<void> {
  await db
    .updateTable("scan_templates")
    .set({ ...change, updated_at: dialect.nowMs() })
    .where("id", "=", id)
    .execute();
}

export async function findScanTemplate({ db }: Session, id: number): Promise<ScanTemplateRow | undefined> {
  return db
    .selectFrom("scan_templates")
    .selectAll()
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
}

export async function listScanTemplates(
  { db }: Session,
  { limit, after, q }: ListPage,
): Promise<ScanTemplateRow[]> {
  let query = db
    .selectFrom("scan_templates")
    .selectAll()
    .where("deleted_at", "is", null)
    .orderBy("id")
    .limit(limit);
  if (after !== undefined) query = query.where("id", ">", after);
  if (q !== undefined) query = query.where(nameContains(q));
  return query.execute();
}
