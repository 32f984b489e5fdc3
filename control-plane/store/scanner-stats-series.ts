/** The metrics of heartbeats over time, averaged in steps: of heartbeats while they are kept, before that of averages. */

import { sql } from "kysely";
import type { Session } from "./store.ts";

/** What a row of averages stands for. */
const WINDOW_MS = 300_000;

export interface StatsBucket {
  /** Beginning of the step. */
  readonly at: number;
  /** Heartbeats */
  readonly samples: number;
  readonly load_avg_1m: number | null;
  readonly load_avg_5m: number | null;
  readonly load_avg_15m: number | null;
  readonly memory_total_bytes: number | null;
  readonly memory_available_bytes: number | null;
  readonly network_rx_bytes: number | null;
  readonly network_tx_bytes: number | null;
  readonly num_cpus: number | null;
}

export interface StatsRange {
  readonly fromMs: number;
  /** Exclusive */
  readonly toMs: number;
  readonly stepMs: number;
}

const GAUGES = [
  "load_avg_1m",
  "load_avg_5m",
  "load_avg_15m",
  "memory_total_bytes",
  "memory_available_bytes",
] as const;
const COUNTERS = ["network_rx_bytes", "network_tx_bytes", "num_cpus"] as const;
const COLUMNS = [...GAUGES, ...COUNTERS] as const;

/** Steps that have heartbeats, oldest first. Gauges are averaged; of counters and of CPUs the highest is taken. */
export async function listStatsBuckets(
  session: Session,
  scannerId: number,
  { fromMs, toMs, stepMs }: StatsRange,
): Promise<StatsBucket[]> {
  const { db } = session;
  const heartbeats = db
    .selectFrom("scanner_stats")
    .select(["at", sql.lit(1).as("samples"), ...COLUMNS])
    .where("scanner_id", "=", scannerId)
    .where("at", ">=", fromMs)
    .where("at", "<", toMs);
  const averages = db
    .selectFrom("scanner_stats_5m")
    .select(["at", "samples", ...COLUMNS])
    .where("scanner_id", "=", scannerId)
    .where("at", ">=", fromMs)
    .where("at", "<", Math.min(toMs, await endOfAverages(session, scannerId)));
  // A literal: PostgreSQL takes two parameters of the same value for different expressions.
  const bucket = sql<number>`at - at % ${sql.lit(stepMs)}`;
  return db
    .selectFrom(heartbeats.unionAll(averages).as("series"))
    .select([bucket.as("at"), sql<number>`cast(sum(samples) as bigint)`.as("samples")])
    .select(GAUGES.map(weightedMean))
    .select(({ fn }) => COUNTERS.map((column) => fn.max(column).as(column)))
    .groupBy(bucket)
    .orderBy(bucket)
    .execute();
}

/** Averages are made long before the heartbeats that they are of are forgotten: until then they would count twice. */
async function endOfAverages({ db }: Session, scannerId: number): Promise<number> {
  const { first } = await db
    .selectFrom("scanner_stats")
    .select(({ fn }) => fn.min("at").as("first"))
    .where("scanner_id", "=", scannerId)
    .executeTakeFirstOrThrow();
  return first === null ? Number.MAX_SAFE_INTEGER : first - (first % WINDOW_MS);
}

/** Of those rows that have a value. */
function weightedMean<Name extends (typeof GAUGES)[number]>(column: Name) {
  const value = sql`cast(${sql.ref(column)} as double precision)`;
  const weight = sql`case when ${sql.ref(column)} is not null then samples end`;
  return sql<number | null>`cast(sum(${value} * samples) / sum(${weight}) as double precision)`.as(column);
}
