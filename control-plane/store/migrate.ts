/**
 * Brings the schema up to this version. All pending migrations run in one transaction under a lock, so that replicas
 * that start together do it once, and a failure leaves the former schema.
 */

import { createHash } from "node:crypto";
import { sql } from "kysely";
import { PortolanError } from "#shared/errors.ts";
import type { ColumnTypes } from "./dialect.ts";
import type { Session, Store } from "./store.ts";

export interface Migration {
  /** Counts up from 1 without gaps. */
  readonly version: number;
  readonly name: string;
  readonly statements: (types: ColumnTypes) => readonly string[];
}

/**
 * @returns versions that were applied now
 * @throws PortolanError SCHEMA_TOO_NEW when a newer program has been here, SCHEMA_CHANGED when an applied migration is
 *   not the one this program knows
 */
export async function migrate(store: Store, migrations: readonly Migration[]): Promise<number[]> {
  return store.transaction(async (session) => {
    await session.dialect.holdLock(session.db, "migration");
    const applied = await readApplied(session);
    refuseUnknown(applied, migrations, session);
    const pending = migrations.filter(({ version }) => !applied.has(version));
    for (const migration of pending) await apply(session, migration);
    return pending.map(({ version }) => version);
  });
}

async function readApplied({ db, dialect }: Session): Promise<Map<number, string>> {
  await sql`create table if not exists schema_migrations (
    version integer primary key,
    name text not null,
    checksum text not null,
    applied_at ${sql.raw(dialect.columnTypes.integer)} not null
  )`.execute(db);
  const rows = await db.selectFrom("schema_migrations").select(["version", "checksum"]).execute();
  return new Map(rows.map(({ version, checksum }) => [version, checksum]));
}

function refuseUnknown(
  applied: ReadonlyMap<number, string>,
  migrations: readonly Migration[],
  session: Session,
): void {
  for (const [version, checksum] of applied) {
    const known = migrations.find((migration) => migration.version === version);
    if (known === undefined) {
      throw new PortolanError(
        "SCHEMA_TOO_NEW",
        `the database has schema version ${version}, this program knows up to ${migrations.length}: run a newer portolan-control`,
      );
    }
    if (checksum !== checksumOf(session, known)) {
      throw new PortolanError(
        "SCHEMA_CHANGED",
        `schema version ${version} (${known.name}) of the database is not the one this program knows`,
      );
    }
  }
}

async function apply(session: Session, migration: Migration): Promise<void> {
  const { db, dialect } = session;
  for (const statement of migration.statements(dialect.columnTypes)) await sql.raw(statement).execute(db);
  await db
    .insertInto("schema_migrations")
    .values({
      version: migration.version,
      name: migration.name,
      checksum: checksumOf(session, migration),
      applied_at: dialect.nowMs(),
    })
    .execute();
}

function checksumOf({ dialect }: Session, migration: Migration): string {
  const hash = createHash("sha256");
  for (const statement of migration.statements(dialect.columnTypes)) hash.update(statement).update("\0");
  return hash.digest("hex");
}
