/** Rules that hold for everything in the catalogue: names are free once, references exist, caps hold, uses protect. */

import type { Log } from "#shared/log.ts";
import type { UsedBy } from "#shared/protocol/catalogue.ts";
import {
  MAX_DISCOVERY_LISTS,
  MAX_PORT_LISTS,
  MAX_SCAN_TEMPLATES,
  MAX_SCANNER_GROUPS,
  MAX_SUBNETS,
} from "#shared/protocol/limits.ts";
import {
  type CatalogueTableName,
  countRows,
  findIdByName,
  findIds,
  type ReferredTable,
} from "../store/catalogue.ts";
import { listUses } from "../store/catalogue-uses.ts";
import type { Session, Store } from "../store/store.ts";
import { type AuditEntry, recordAudit } from "./audit.ts";
import { fieldError } from "./field-errors.ts";
import { refusal } from "./refusal.ts";

/** Uses that an error lists. */
const MAX_USES_SHOWN = 20;

const NOUNS: Readonly<Record<ReferredTable, { readonly one: string; readonly max: number }>> = {
  subnets: { one: "subnet", max: MAX_SUBNETS },
  port_lists: { one: "port list", max: MAX_PORT_LISTS },
  scanner_groups: { one: "scanner group", max: MAX_SCANNER_GROUPS },
  discovery_lists: { one: "discovery list", max: MAX_DISCOVERY_LISTS },
  scan_templates: { one: "scan template", max: MAX_SCAN_TEMPLATES },
  scanners: { one: "scanner", max: Number.POSITIVE_INFINITY },
};

export interface Written<T> {
  readonly result: T;
  /** What was done, for the audit log. */
  readonly entry: Omit<AuditEntry, "actor">;
}

/**
 * Changes the catalogue: one change at a time, all of it or nothing, with its row in the audit log. So no change sees
 * a name, a count or a reference that another is about to change.
 */
export async function writeCatalogue<T>(
  { store, log }: { readonly store: Store; readonly log: Log },
  actor: string,
  work: (session: Session) => Promise<Written<T>>,
): Promise<T> {
  const { result, entry } = await store.transaction(async (session) => {
    await session.dialect.holdLock(session.db, "catalogue");
    const written = await work(session);
    await recordAudit(session, { actor, ...written.entry });
    return written;
  });
  log.info(entry.action, `${entry.object}: ${entry.action}`, { object: entry.object, actor });
  return result;
}

/** @throws PortolanError CONFLICT */
export async function requireFreeName(
  session: Session,
  table: CatalogueTableName,
  name: string,
  ownId?: number,
): Promise<void> {
  const id = await findIdByName(session, table, name);
  if (id === undefined || id === ownId) return;
  throw fieldError("CONFLICT", "name", name, `there is a ${NOUNS[table].one} of this name already`);
}

/** @throws PortolanError LIMIT_REACHED when there is no room for `added` more */
export async function requireRoom(session: Session, table: CatalogueTableName, added = 1): Promise<void> {
  const { one, max } = NOUNS[table];
  const count = await countRows(session, table);
  if (count + added <= max) return;
  throw refusal("LIMIT_REACHED", `at most ${max} ${one}s are possible, and there are ${count}`, {
    limit: max,
    count,
  });
}

/**
 * @returns the ids, each once, ascending
 * @throws PortolanError INVALID_REQUEST naming the field and the first id that nothing has
 */
export async function requireReferences(
  session: Session,
  field: string,
  table: ReferredTable,
  ids: readonly number[],
): Promise<number[]> {
  const found = await findIds(session, table, ids);
  const unknown = ids.find((id) => !found.has(id));
  if (unknown !== undefined) {
    throw fieldError("INVALID_REQUEST", field, String(unknown), `there is no ${NOUNS[table].one} ${unknown}`);
  }
  return [...found].toSorted((a, b) => a - b);
}

/** @throws PortolanError IN_USE listing what refers to it */
export async function requireUnused(session: Session, table: ReferredTable, id: number): Promise<void> {
  refuseUses(table, id, await listUses(session, table, id, MAX_USES_SHOWN));
}

/** @throws PortolanError IN_USE where there are any */
export function refuseUses(table: ReferredTable, id: number, uses: readonly UsedBy[]): void {
  const [first] = uses;
  if (first === undefined) return;
  const others = uses.length > 1 ? ` and ${uses.length === 2 ? "another" : "others"}` : "";
  const user = `${first.kind.replaceAll("-", " ")} '${first.name}'${others}`;
  throw refusal("IN_USE", `${NOUNS[table].one} ${id} is used by ${user}; take it out there first`, {
    usedBy: uses.slice(0, MAX_USES_SHOWN),
  });
}

/** @throws PortolanError NOT_FOUND */
export function requireRow<Row>(table: ReferredTable, id: number, row: Row | undefined): Row {
  if (row === undefined) throw refusal("NOT_FOUND", `no ${NOUNS[table].one} ${id}`);
  return row;
}
