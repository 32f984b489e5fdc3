/**
 * Scanners' metrics as they grow old: every sample, then averages over five minutes, then nothing. Each step is small,
 * for a few scanners, and may be repeated; how far they are is kept in `scanner_stats_progress`.
 */

import { type RawBuilder, sql } from "kysely";
import { createPartitions, dropPartitions, isPartitioned, type PartitionedTable } from "./partitions.ts";
import { readClock, type Session } from "./store.ts";

export const AVERAGE_MS = 300_000;
/** A sample is written at most this long after its time. */
const SETTLE_MS = 60_000;
/** How much time a step looks at: enough to catch up after a stop, little enough to be quick. */
const MAX_WINDOW_MS = 3_600_000;
/** Samples of one step, at one a minute and scanner; and rows that one step deletes. */
const STEP_ROWS = 2_500;
const MINUTE_MS = 60_000;

const SAMPLES: PartitionedTable = { name: "scanner_stats", days: 1 };
const AVERAGES: PartitionedTable = { name: "scanner_stats_5m", days: 7 };
const DAYS_AHEAD = 3;
const WEEKS_AHEAD = 1;

export interface StatsRetention {
  /** How long every sample is kept. */
  readonly samplesMs: number;
  /** How long averages are. */
  readonly averagesMs: number;
}

/**
 * Makes partitions for the days to come, and drops what is older than the retention, where that is done by the table:
 * PostgreSQL. Rows of SQLite go with `averageStep`.
 * @returns what was done, in words for the log
 */
export async function turnPartitions(session: Session, retention: StatsRetention): Promise<string[]> {
  if (session.dialect.kind !== "postgres") return [];
  const nowMs = await readClock(session);
  const { window_start: averagedMs } = await readProgress(session, nowMs);
  // A sample that no average has is kept.
  const samplesBeforeMs = Math.min(nowMs - retention.samplesMs, averagedMs);
  return [
    ...(await turn(session, SAMPLES, nowMs, DAYS_AHEAD, samplesBeforeMs)),
    ...(await turn(session, AVERAGES, nowMs, WEEKS_AHEAD, nowMs - retention.averagesMs)),
  ];
}

async function turn(
  session: Session,
  table: PartitionedTable,
  nowMs: number,
  ahead: number,
  beforeMs: number,
): Promise<string[]> {
  const { db } = session;
  if (!(await isPartitioned(session, table))) {
    const { rows } = await sql<{ chunk: string }>`
      select drop_chunks(${table.name}, older_than => ${sql.lit(beforeMs)}::bigint)::text as chunk`.execute(
      db,
    );
    return rows.map(({ chunk }) => `dropped ${chunk}`);
  }
  const made = await createPartitions(session, table, nowMs, ahead);
  const dropped = await dropPartitions(session, table, beforeMs);
  const defaults = sql.table(`${table.name}_default`);
  await sql`delete from ${defaults} where ctid in
    (select ctid from ${defaults} where at < ${sql.lit(beforeMs)} limit ${sql.lit(STEP_ROWS)})`.execute(db);
  return [...made.map((name) => `made ${name}`), ...dropped.map((name) => `dropped ${name}`)];
}

/**
 * Averages the samples of the next few scanners; on SQLite deletes some of what is too old of theirs as well.
 * @returns false when there is nothing to do for now
 */
export async function averageStep(session: Session, retention: StatsRetention): Promise<boolean> {
  const { db } = session;
  const nowMs = await readClock(session);
  const progress = await readProgress(session, nowMs);
  const { window_start: startMs, after_scanner_id: after } = progress;
  let endMs = progress.window_end;
  if (endMs <= startMs) {
    endMs = Math.min(startMs + MAX_WINDOW_MS, floorToAverage(nowMs - SETTLE_MS));
    if (endMs <= startMs) return false;
  }
  const scanners = Math.max(1, Math.floor((STEP_ROWS * MINUTE_MS) / (endMs - startMs)));
  const ids = await db
    .selectFrom("scanners")
    .select("id")
    .where("id", ">", after)
    .orderBy("id")
    .limit(scanners)
    .execute();
  const last = ids.at(-1)?.id;
  if (last === undefined) {
    await writeProgress(session, { window_start: endMs, window_end: endMs, after_scanner_id: 0 });
    return true;
  }
  await average(session, { startMs, endMs, after, last });
  if (session.dialect.kind === "sqlite") {
    const samplesBeforeMs = Math.min(nowMs - retention.samplesMs, startMs);
    await deleteOld(session, SAMPLES, { after, last, beforeMs: samplesBeforeMs });
    await deleteOld(session, AVERAGES, { after, last, beforeMs: nowMs - retention.averagesMs });
  }
  await writeProgress(session, { window_start: startMs, window_end: endMs, after_scanner_id: last });
  return true;
}

interface Progress {
  readonly window_start: number;
  readonly window_end: number;
  readonly after_scanner_id: number;
}

/** The first time: from the oldest sample on. */
async function readProgress(session: Session, nowMs: number): Promise<Progress> {
  const row = await session.db.selectFrom("scanner_stats_progress").selectAll().executeTakeFirst();
  if (row !== undefined) return row;
  const { oldest } = await session.db
    .selectFrom("scanner_stats")
    .select((eb) => eb.fn.min<number | null>("at").as("oldest"))
    .executeTakeFirstOrThrow();
  const startMs = floorToAverage(oldest ?? nowMs);
  const first = { window_start: startMs, window_end: startMs, after_scanner_id: 0 };
  await session.db.insertInto("scanner_stats_progress").values(first).execute();
  return first;
}

async function writeProgress({ db }: Session, progress: Progress): Promise<void> {
  await db.updateTable("scanner_stats_progress").set(progress).execute();
}

function floorToAverage(ms: number): number {
  return Math.floor(ms / AVERAGE_MS) * AVERAGE_MS;
}

/** Scanners by their ids: after, and up to and including last. */
interface Slice {
  readonly after: number;
  readonly last: number;
}

/**
 * Joined from the scanners, so that each scanner's samples are found by its index. Counters of the network only grow,
 * and memory and CPUs hardly change: of those, the largest.
 */
async function average(
  { db, dialect }: Session,
  { startMs, endMs, after, last }: Slice & { readonly startMs: number; readonly endMs: number },
): Promise<void> {
  const wholeMean = (column: string): RawBuilder<unknown> =>
    sql`cast(round(avg(${sql.ref(column)})) as ${sql.raw(dialect.columnTypes.integer)})`;
  const bucket = sql`s.at - s.at % ${sql.lit(AVERAGE_MS)}`;
  await sql`
    insert into scanner_stats_5m (scanner_id, at, samples, load_avg_1m, load_avg_5m, load_avg_15m,
      memory_total_bytes, memory_available_bytes, network_rx_bytes, network_tx_bytes, num_cpus)
    select s.scanner_id, ${bucket}, count(*), avg(s.load_avg_1m), avg(s.load_avg_5m), avg(s.load_avg_15m),
      max(s.memory_total_bytes), ${wholeMean("s.memory_available_bytes")},
      max(s.network_rx_bytes), max(s.network_tx_bytes), max(s.num_cpus)
    from scanners c join scanner_stats s on s.scanner_id = c.id
    where c.id > ${sql.lit(after)} and c.id <= ${sql.lit(last)}
      and s.at >= ${sql.lit(startMs)} and s.at < ${sql.lit(endMs)}
    group by s.scanner_id, ${bucket}
    on conflict (scanner_id, at) do nothing`.execute(db);
}

async function deleteOld(
  { db }: Session,
  { name }: PartitionedTable,
  { after, last, beforeMs }: Slice & { readonly beforeMs: number },
): Promise<void> {
  const table = sql.table(name);
  await sql`delete from ${table} where (scanner_id, at) in (
    select s.scanner_id, s.at from scanners c join ${table} s on s.scanner_id = c.id
    where c.id > ${sql.lit(after)} and c.id <= ${sql.lit(last)} and s.at < ${sql.lit(beforeMs)}
    limit ${sql.lit(STEP_ROWS)})`.execute(db);
}
