/**
 * Partitions of PostgreSQL by time: made ahead, and dropped when all of their rows are too old. Each is named after the
 * day (UTC) that it begins with: `scanner_stats_20261121`. On a table without partitions nothing happens.
 *
 * Both take short locks on the whole table. Whoever holds it longer is not waited for: the next turn comes.
 */

import { type RawBuilder, sql } from "kysely";
import type { Session } from "./store.ts";

const DAY_MS = 86_400_000;
const LOCK_TIMEOUT = "2s";

export interface PartitionedTable {
  readonly name: string;
  /** Whole days that one partition holds. */
  readonly days: number;
}

/** True on PostgreSQL for a table with partitions of its own kind; false for any table of SQLite, and for hypertables. */
export async function isPartitioned({ db, dialect }: Session, { name }: PartitionedTable): Promise<boolean> {
  if (dialect.kind !== "postgres") return false;
  const { rows } = await sql`select from pg_class where oid = to_regclass(${name}) and relkind = 'p'`.execute(
    db,
  );
  return rows.length > 0;
}

/**
 * Makes sure of the partition for `nowMs` and of `ahead` more. Rows of their time that the default partition took
 * move to them.
 * @returns names of those made now
 */
export async function createPartitions(
  session: Session,
  table: PartitionedTable,
  nowMs: number,
  ahead: number,
): Promise<string[]> {
  const there = new Set((await listPartitions(session, table)).map(({ name }) => name));
  const widthMs = table.days * DAY_MS;
  const current = Math.floor(nowMs / widthMs) * widthMs;
  const made: string[] = [];
  for (let index = 0; index <= ahead; index++) {
    const partition = partitionAt(table, current + index * widthMs);
    if (there.has(partition.name)) continue;
    await createPartition(session, table, partition);
    made.push(partition.name);
  }
  return made;
}

/** Drops partitions that hold nothing from `beforeMs` on. @returns their names */
export async function dropPartitions(
  session: Session,
  table: PartitionedTable,
  beforeMs: number,
): Promise<string[]> {
  const old = (await listPartitions(session, table)).filter(({ endMs }) => endMs <= beforeMs);
  if (old.length > 0) await limitLockWait(session);
  for (const { name } of old) await sql`drop table ${sql.table(name)}`.execute(session.db);
  return old.map(({ name }) => name);
}

interface Partition {
  readonly name: string;
  readonly startMs: number;
  /** Where the next one begins. */
  readonly endMs: number;
}

function partitionAt(table: PartitionedTable, startMs: number): Partition {
  const day = new Date(startMs).toISOString().slice(0, 10).replaceAll("-", "");
  return { name: `${table.name}_${day}`, startMs, endMs: startMs + table.days * DAY_MS };
}

async function listPartitions({ db }: Session, table: PartitionedTable): Promise<Partition[]> {
  const { rows } = await sql<{ name: string }>`
    select child.relname as name from pg_inherits
    join pg_class child on child.oid = inhrelid
    where inhparent = to_regclass(${table.name}) order by child.relname`.execute(db);
  return rows.flatMap(({ name }) => {
    const [, year, month, day] = /_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? [];
    if (day === undefined) return [];
    return [partitionAt(table, Date.UTC(Number(year), Number(month) - 1, Number(day)))];
  });
}

/**
 * Filled first and attached then: the default partition must have no row that belongs to it. Inserts wait before they
 * choose their partition, or one that had chosen the default would find that its row belongs there no more.
 */
async function createPartition(
  session: Session,
  table: PartitionedTable,
  { name, startMs, endMs }: Partition,
): Promise<void> {
  const { db } = session;
  await limitLockWait(session);
  const partition = sql.table(name);
  const parent = sql.table(table.name);
  const defaults = sql.table(`${table.name}_default`);
  const inside: RawBuilder<unknown> = sql`at >= ${sql.lit(startMs)} and at < ${sql.lit(endMs)}`;
  await sql`lock table ${parent} in access exclusive mode`.execute(db);
  await sql`create table ${partition} (like ${parent} including all)`.execute(db);
  await sql`with moved as (delete from ${defaults} where ${inside} returning *)
    insert into ${partition} select * from moved`.execute(db);
  await sql`alter table ${parent} attach partition ${partition}
    for values from (${sql.lit(startMs)}) to (${sql.lit(endMs)})`.execute(db);
}

async function limitLockWait({ db }: Session): Promise<void> {
  await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT)}`.execute(db);
}
