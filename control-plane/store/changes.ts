/** Queries on changes: written once, read newest first. */

import { type Insertable, type Selectable, sql } from "kysely";
import type { ChangeKind } from "#shared/protocol/changes.ts";
import { type BulkColumns, insertBulk } from "./bulk-insert.ts";
import type { Session } from "./store.ts";
import type { ChangesTable } from "./tables.ts";

export type ChangeRow = Selectable<ChangesTable>;
/** What changes of one look have in common. */
export type ChangeOrigin = Pick<Insertable<ChangesTable>, "at" | "scan_id" | "job_id" | "vantage_id">;
export type NewChange = Required<Omit<Insertable<ChangesTable>, "id" | keyof ChangeOrigin>>;

const COLUMNS: BulkColumns = {
  at: "bigint",
  scan_id: "bigint",
  job_id: "bigint",
  vantage_id: "bigint",
  address: "bytea",
  protocol: "smallint",
  port: "integer",
  kind: "text",
  before: "text",
  after: "text",
};

export async function insertChanges(
  session: Session,
  { at, scan_id, job_id, vantage_id }: ChangeOrigin,
  changes: readonly NewChange[],
): Promise<void> {
  await insertBulk(
    session,
    { table: "changes", columns: COLUMNS, onConflict: "" },
    changes.map((row) => [
      at,
      scan_id,
      job_id,
      vantage_id,
      row.address,
      row.protocol,
      row.port,
      row.kind,
      row.before,
      row.after,
    ]),
  );
}

export interface ChangeFilter {
  readonly scanId?: number | undefined;
  readonly vantageId?: number | undefined;
  readonly address?: Uint8Array | undefined;
  readonly kind?: ChangeKind | undefined;
  readonly sinceMs?: number | undefined;
}

/** Where a page of changes ended. */
export interface ChangePosition {
  readonly at: number;
  readonly id: number;
}

/** Newest first, those before the position. */
export async function listChanges(
  { db }: Session,
  filter: ChangeFilter,
  before: ChangePosition | undefined,
  limit: number,
): Promise<ChangeRow[]> {
  let query = db.selectFrom("changes").selectAll().orderBy("at", "desc").orderBy("id", "desc").limit(limit);
  if (before !== undefined) {
    query = query.where(sql<boolean>`(at, id) < (${sql.join([before.at, before.id])})`);
  }
  if (filter.scanId !== undefined) query = query.where("scan_id", "=", filter.scanId);
  if (filter.vantageId !== undefined) query = query.where("vantage_id", "=", filter.vantageId);
  if (filter.address !== undefined) query = query.where("address", "=", filter.address);
  if (filter.kind !== undefined) query = query.where("kind", "=", filter.kind);
  if (filter.sinceMs !== undefined) query = query.where("at", ">=", filter.sinceMs);
  return query.execute();
}
