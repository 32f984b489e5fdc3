/** Queries on the expected results of templates. */

import type { Selectable } from "kysely";
import type { PortState } from "#shared/protocol/port-state.ts";
import type { Session } from "./store.ts";
import type { ExpectedResultsTable } from "./tables.ts";

export type ExpectedResultRow = Selectable<ExpectedResultsTable>;
export type NewExpectedResult = Omit<ExpectedResultRow, "id" | "template_id">;

/** Rows in one statement: five columns each, below the 32,766 parameters of SQLite. */
const ROWS_PER_STATEMENT = 5_000;

/** Adds those that are not there, and changes the state of the others. @param results each endpoint once */
export async function upsertExpectedResults(
  { db }: Session,
  templateId: number,
  results: readonly NewExpectedResult[],
): Promise<void> {
  for (let i = 0; i < results.length; i += ROWS_PER_STATEMENT) {
    await db
      .insertInto("expected_results")
      .values(
        results.slice(i, i + ROWS_PER_STATEMENT).map(({ address, protocol, port, state }) => ({
          template_id: templateId,
          address,
          protocol,
          port,
          state,
        })),
      )
      .onConflict((conflict) =>
        conflict
          .columns(["template_id", "address", "protocol", "port"])
          .doUpdateSet((eb) => ({ state: eb.ref("excluded.state") })),
      )
      .execute();
  }
}

/** @returns false where there is none of this id */
export async function changeExpectedResult(
  { db }: Session,
  templateId: number,
  id: number,
  state: PortState,
): Promise<ExpectedResultRow | undefined> {
  return db
    .updateTable("expected_results")
    .set({ state })
    .where("id", "=", id)
    .where("template_id", "=", templateId)
    .returningAll()
    .executeTakeFirst();
}

/** @returns false where there is none of this id */
export async function deleteExpectedResult(
  { db }: Session,
  templateId: number,
  id: number,
): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom("expected_results")
    .where("id", "=", id)
    .where("template_id", "=", templateId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

export async function deleteExpectedResults({ db }: Session, templateId: number): Promise<void> {
  await db.deleteFrom("expected_results").where("template_id", "=", templateId).execute();
}

/** A page, by id; all of them without a limit. */
export async function listExpectedResults(
  { db }: Session,
  templateId: number,
  page: { readonly limit?: number; readonly after?: number | undefined } = {},
): Promise<ExpectedResultRow[]> {
  let query = db
    .selectFrom("expected_results")
    .selectAll()
    .where("template_id", "=", templateId)
    .where("id", ">", page.after ?? 0)
    .orderBy("id");
  if (page.limit !== undefined) query = query.limit(page.limit);
  return query.execute();
}

/** How many each of these templates has; one that has none is left out. */
export async function countExpectedResults(
  { db }: Session,
  templateIds: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  if (templateIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("expected_results")
    .select(["template_id", (eb) => eb.fn.countAll<number>().as("count")])
    .where("template_id", "in", templateIds)
    .groupBy("template_id")
    .execute();
  return new Map(rows.map(({ template_id, count }) => [template_id, count]));
}
