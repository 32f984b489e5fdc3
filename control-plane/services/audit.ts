/**
 * The audit log: who did what to what. Each row's hash covers the row and the hash before it, so that changing,
 * removing or inserting a row shows in every later one. Cutting off the newest rows does not show.
 */

import { createHash } from "node:crypto";
import type { AuditVerification } from "#shared/protocol/administration.ts";
import {
  type AuditRow,
  findLastAuditRow,
  insertAuditRow,
  listAuditChain,
  listAuditRows,
} from "../store/audit.ts";
import { readClock, type Session, type Store } from "../store/store.ts";
import { type Page, pageOf } from "./page.ts";

/** What the first row follows. */
const GENESIS_HASH = "0".repeat(64);
const VERIFY_PAGE = 1_000;
/** Violations in one answer: after a break nearly every row may be one. */
const MAX_VIOLATIONS = 100;

export interface AuditEntry {
  /** `operator:NAME`, `scanner:NAME`, `system`, or `address:IP` where nobody is known. */
  readonly actor: string;
  /** Dotted: `scanner.created`. */
  readonly action: string;
  /** `scanner:7` */
  readonly object: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Adds a row in the transaction that makes the change. Last thing in it: everyone else's row waits for its end. */
export async function recordAudit(session: Session, entry: AuditEntry): Promise<void> {
  await session.dialect.holdLock(session.db, "audit");
  const last = await findLastAuditRow(session);
  const row = {
    at: await readClock(session),
    actor: entry.actor,
    action: entry.action,
    object: entry.object,
    detail: JSON.stringify(entry.detail ?? {}),
    prev_hash: last?.hash ?? GENESIS_HASH,
  };
  await insertAuditRow(session, { ...row, hash: hashRow(row) });
}

function hashRow(row: Omit<AuditRow, "id" | "hash">): string {
  const fields = [row.prev_hash, row.at, row.actor, row.action, row.object, row.detail];
  return createHash("sha256").update(JSON.stringify(fields)).digest("hex");
}

export class Audit {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  /** Newest first. */
  async list(limit: number, cursor: number | undefined): Promise<Page<AuditRow>> {
    const rows = await this.store.run((session) =>
      listAuditRows(session, { limit: limit + 1, before: cursor }),
    );
    return pageOf(rows, limit);
  }

  /** Walks the whole chain. */
  async verify(): Promise<AuditVerification> {
    const violations: AuditVerification["violations"] = [];
    let rowsChecked = 0;
    let previous: AuditRow | undefined;
    for (;;) {
      const after = previous?.id ?? 0;
      const rows = await this.store.run((session) => listAuditChain(session, { limit: VERIFY_PAGE, after }));
      for (const row of rows) {
        if (row.prev_hash !== (previous?.hash ?? GENESIS_HASH))
          violations.push({ id: row.id, kind: "prev_hash" });
        if (row.hash !== hashRow(row)) violations.push({ id: row.id, kind: "row_hash" });
        previous = row;
        rowsChecked++;
      }
      if (rows.length < VERIFY_PAGE) break;
    }
    return { ok: violations.length === 0, rowsChecked, violations: violations.slice(0, MAX_VIOLATIONS) };
  }
}
