/** Queries on scanners as a list: filtered, in pages, and the values that there are to filter by. */

import { type ExpressionBuilder, sql, type SqlBool } from "kysely";
import { OFFLINE_AFTER_MS } from "#shared/protocol/limits.ts";
import type { BindingMode, ScannerStatus } from "#shared/protocol/operator.ts";
import { type ScannerRow, selectScanners } from "./scanners.ts";
import type { Session } from "./store.ts";
import type { Tables } from "./tables.ts";

export interface ScannerFilter {
  readonly status?: ScannerStatus | undefined;
  readonly bindingMode?: BindingMode | undefined;
  readonly createdBy?: string | undefined;
  readonly version?: string | undefined;
  /** Part of name, description, host name or address, whatever the case. */
  readonly q?: string | undefined;
}

/** In the order of their ids. */
export async function listScannerPage(
  session: Session,
  filter: ScannerFilter,
  page: { readonly limit: number; readonly after: number },
): Promise<ScannerRow[]> {
  const { status, bindingMode, createdBy, version, q } = filter;
  return selectScanners(session)
    .where("scanners.id", ">", page.after)
    .$if(status !== undefined, (query) => query.where((eb) => hasStatus(session, eb, status ?? "active")))
    .$if(bindingMode !== undefined, (query) => query.where("binding_mode", "=", bindingMode ?? "none"))
    .$if(createdBy !== undefined, (query) => query.where("created_by", "=", createdBy ?? ""))
    .$if(version !== undefined, (query) => query.where("version", "=", version ?? ""))
    .$if(q !== undefined, (query) => query.where((eb) => mentions(eb, q ?? "")))
    .orderBy("scanners.id")
    .limit(page.limit)
    .execute();
}

type Expression = ExpressionBuilder<Tables, "scanners">;

/** The rule of `scannerStatus`, as a condition. */
function hasStatus({ dialect }: Session, eb: Expression, status: ScannerStatus) {
  const isEnabled = eb("disabled_at", "is", null);
  const isRegistered = eb("registered_at", "is not", null);
  const isApproved = eb("unapproved_at", "is", null);
  const seenAt = eb.fn.coalesce("last_heartbeat_at", "registered_at");
  const isSeen = sql<SqlBool>`${dialect.nowMs()} - ${seenAt} < ${sql.lit(OFFLINE_AFTER_MS)}`;
  switch (status) {
    case "disabled":
      return eb("disabled_at", "is not", null);
    case "pending":
      return eb.and([isEnabled, eb("registered_at", "is", null)]);
    case "unapproved":
      return eb.and([isEnabled, isRegistered, eb("unapproved_at", "is not", null)]);
    case "active":
      return eb.and([isEnabled, isRegistered, isApproved, isSeen]);
    case "offline":
      return eb.and([isEnabled, isRegistered, isApproved, eb.not(isSeen)]);
  }
}

function mentions(eb: Expression, text: string) {
  const pattern = `%${text.toLowerCase().replaceAll(/[\\%_]/g, "\\$&")}%`;
  const columns = ["name", "description", "hostname", "external_ip", "internal_ip"] as const;
  return eb.or(columns.map((column) => sql<SqlBool>`lower(${eb.ref(column)}) like ${pattern} escape '\\'`));
}

const FILTER_COLUMNS = ["name", "binding_mode", "created_by", "version"] as const;
export type FilterColumn = (typeof FILTER_COLUMNS)[number];

/** The different values of a column, in order. */
export async function listScannerValues({ db }: Session, column: FilterColumn): Promise<string[]> {
  const rows = await db
    .selectFrom("scanners")
    .select((eb) => eb.ref(column).$castTo<string>().as("value"))
    .distinct()
    .where("deleted_at", "is", null)
    .where(column, "is not", null)
    .orderBy("value")
    .execute();
  return rows.map(({ value }) => value);
}
