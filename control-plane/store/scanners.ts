/** Queries on scanners: as configured, as seen, and by their key. Deleted scanners are found by nobody. */

import type { Selectable, Updateable } from "kysely";
import type { Session } from "./store.ts";
import type { ScannersTable } from "./tables.ts";

/** A scanner with what depends on other tables and on the clock. */
export interface ScannerRow extends Selectable<ScannersTable> {
  readonly active_jobs: number;
  /** The database's time when the row was read: the status depends on it. */
  readonly now_ms: number;
}

export interface NewScanner {
  readonly name: string;
  readonly description: string;
  readonly rate_limit: number;
  readonly binding_mode: ScannersTable["binding_mode"];
  readonly binding_value: string | null;
  readonly created_by: string;
  /** Set where it enrols itself: then it waits for approval. */
  readonly enrolment_token_id?: number;
}

export function selectScanners({ db, dialect }: Session) {
  return db
    .selectFrom("scanners")
    .selectAll("scanners")
    .select((eb) => [
      eb
        .selectFrom("jobs")
        .whereRef("jobs.scanner_id", "=", "scanners.id")
        .where("jobs.ended_at", "is", null)
        .where("jobs.lease_id", "is not", null)
        .select((jobs) => jobs.fn.countAll<number>().as("count"))
        .$asScalar()
        .$notNull()
        .as("active_jobs"),
      dialect.nowMs().as("now_ms"),
    ])
    .where("deleted_at", "is", null);
}

export async function listScanners(session: Session): Promise<ScannerRow[]> {
  return selectScanners(session).orderBy("scanners.name").execute();
}

export async function findScanner(session: Session, id: number): Promise<ScannerRow | undefined> {
  return selectScanners(session).where("scanners.id", "=", id).executeTakeFirst();
}

export async function findScannerByName(session: Session, name: string): Promise<ScannerRow | undefined> {
  return selectScanners(session).where("scanners.name", "=", name).executeTakeFirst();
}

/** The scanner whose present or former key has this hash. */
export async function findScannerByKeyHash(session: Session, hash: string): Promise<ScannerRow | undefined> {
  const present = await selectScanners(session).where("api_key_hash", "=", hash).executeTakeFirst();
  // Not one query with `or`: every call of every agent comes through here, and hardly any with a former key.
  return present ?? selectScanners(session).where("former_key_hash", "=", hash).executeTakeFirst();
}

export async function findScannersById(session: Session, ids: readonly number[]): Promise<ScannerRow[]> {
  return selectScanners(session).where("scanners.id", "in", ids).execute();
}

/** Holds the scanners until the transaction ends. Whoever also locks scans locks the scanners first. */
export async function lockScanners({ db, dialect }: Session, ids: readonly number[]): Promise<void> {
  const rows = db.selectFrom("scanners").select("id").where("id", "in", ids).orderBy("id");
  await dialect.lockRows(rows).execute();
}

export async function countScanners({ db }: Session): Promise<number> {
  const { count } = await db
    .selectFrom("scanners")
    .where("deleted_at", "is", null)
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return count;
}

export async function insertScanner({ db, dialect }: Session, scanner: NewScanner): Promise<number> {
  const { id } = await db
    .insertInto("scanners")
    .values({
      ...scanner,
      created_at: dialect.nowMs(),
      ...(scanner.enrolment_token_id === undefined ? {} : { unapproved_at: dialect.nowMs() }),
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

export async function updateScanner(
  { db }: Session,
  id: number,
  change: Updateable<ScannersTable>,
): Promise<void> {
  await db.updateTable("scanners").set(change).where("id", "=", id).execute();
}

export async function markRegistered({ db, dialect }: Session, id: number): Promise<void> {
  await db.updateTable("scanners").set({ registered_at: dialect.nowMs() }).where("id", "=", id).execute();
}

export async function setDisabled({ db, dialect }: Session, id: number, disabled: boolean): Promise<void> {
  const disabled_at = disabled ? dialect.nowMs() : null;
  await db.updateTable("scanners").set({ disabled_at }).where("id", "=", id).execute();
}

export async function markDeleted({ db, dialect }: Session, id: number): Promise<void> {
  await db.updateTable("scanners").set({ deleted_at: dialect.nowMs() }).where("id", "=", id).execute();
}

/** Binds a scanner that is not bound. False when another call bound it in the meantime. */
export async function bindScanner({ db }: Session, id: number, value: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("scanners")
    .set({ binding_value: value })
    .where("id", "=", id)
    .where("binding_value", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Notes a refused call on the scanner's record. */
export async function recordRejection(
  { db, dialect }: Session,
  id: number,
  rejection: { readonly code: string; readonly address: string; readonly isMismatch: boolean },
): Promise<void> {
  await db
    .updateTable("scanners")
    .set((eb) => ({
      last_error_at: dialect.nowMs(),
      last_error_code: rejection.code,
      last_error_address: rejection.address,
      mismatch_count: eb("mismatch_count", "+", rejection.isMismatch ? 1 : 0),
    }))
    .where("id", "=", id)
    .execute();
}

export interface Inventory {
  readonly version?: string | undefined;
  readonly hostname?: string | undefined;
  readonly os?: string | undefined;
  readonly arch?: string | undefined;
  readonly internal_ip?: string | undefined;
  /** JSON array */
  readonly capabilities?: string | undefined;
  readonly external_ip: string;
}

/** What a scanner told about itself; what it left out stays as it was. */
export async function recordInventory({ db }: Session, id: number, inventory: Inventory): Promise<void> {
  await db.updateTable("scanners").set(withoutUndefined(inventory)).where("id", "=", id).execute();
}

/**
 * A good heartbeat: seen now, this is what it is and how it fares, and no error any more. One statement, since there is
 * nothing that happens more often. Returns the database's time.
 * @param metrics JSON, the latest
 */
export async function recordHeartbeat(
  { db, dialect }: Session,
  id: number,
  inventory: Inventory & { readonly metrics: string | undefined },
): Promise<number> {
  const row = await db
    .updateTable("scanners")
    .set({
      ...withoutUndefined(inventory),
      last_heartbeat_at: dialect.nowMs(),
      last_error_at: null,
      last_error_code: null,
      last_error_address: null,
    })
    .where("id", "=", id)
    .returning("last_heartbeat_at")
    .executeTakeFirstOrThrow();
  return row.last_heartbeat_at ?? 0;
}

function withoutUndefined(inventory: Inventory): Updateable<ScannersTable> {
  return Object.fromEntries(Object.entries(inventory).filter(([, value]) => value !== undefined));
}
