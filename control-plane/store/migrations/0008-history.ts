/**
 * The history of scanners' metrics: every heartbeat for some days, five-minute averages for longer.
 *
 * PostgreSQL has both as partitions by time, so that old data is dropped and not deleted; the default partition takes
 * what no other is there for. In a database with the extension TimescaleDB they are hypertables, with compression
 * where its licence has it. SQLite has plain tables.
 */

import type { ColumnTypes } from "../dialect.ts";
import type { Migration } from "../migrate.ts";

const DAY_MS = 86_400_000;

export const history: Migration = {
  version: 8,
  name: "history",
  statements: (types) => [
    ...(types.kind === "sqlite" ? sqliteTables(types) : postgresTables(types)),

    // Averages are made for all scanners up to window_start, and up to window_end for those whose ids are not above
    // after_scanner_id.
    `create table scanner_stats_progress (
      window_start ${types.integer} not null,
      window_end ${types.integer} not null,
      after_scanner_id ${types.integer} not null
    )`,
  ],
};

function averages({ integer, real }: ColumnTypes): string {
  return `scanner_id ${integer} not null,
    at ${integer} not null,
    samples ${integer} not null,
    load_avg_1m ${real},
    load_avg_5m ${real},
    load_avg_15m ${real},
    memory_total_bytes ${integer},
    memory_available_bytes ${integer},
    network_rx_bytes ${integer},
    network_tx_bytes ${integer},
    num_cpus ${integer}`;
}

function sqliteTables(types: ColumnTypes): string[] {
  return [`create table scanner_stats_5m (${averages(types)}, primary key (scanner_id, at)) without rowid`];
}

function postgresTables(types: ColumnTypes): string[] {
  return [
    `alter table scanner_stats rename to scanner_stats_before`,
    `create function portolan_now_ms() returns bigint language sql stable
      as 'select cast(extract(epoch from now()) * 1000 as bigint)'`,
    `do $do$
    begin
      if exists (select from pg_extension where extname = 'timescaledb') then
        ${hypertable("scanner_stats", "like scanner_stats_before", DAY_MS, 2 * DAY_MS)}
        ${hypertable("scanner_stats_5m", averages(types), 7 * DAY_MS, 14 * DAY_MS)}
      else
        create table scanner_stats (like scanner_stats_before) partition by range (at);
        create table scanner_stats_default partition of scanner_stats default;
        create table scanner_stats_5m (${averages(types)}) partition by range (at);
        create table scanner_stats_5m_default partition of scanner_stats_5m default;
      end if;
    end
    $do$`,
    `insert into scanner_stats select * from scanner_stats_before`,
    `drop table scanner_stats_before`,
    `create index scanner_stats_scanner_at on scanner_stats (scanner_id, at)`,
    `create unique index scanner_stats_5m_scanner_at on scanner_stats_5m (scanner_id, at)`,
    // Rows that are written over and over, at every heartbeat and progress: with room beside them the new version of
    // a row stays on its page, and no index has to be touched.
    `alter table scanners set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)`,
    `alter table jobs set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)`,
  ];
}

/** What is older than the retention is dropped by the control plane itself, which knows the settings. */
function hypertable(table: string, columns: string, chunkMs: number, compressAfterMs: number): string {
  return `create table ${table} (${columns});
        perform create_hypertable('${table}', 'at', chunk_time_interval => ${chunkMs}, create_default_indexes => false);
        perform set_integer_now_func('${table}', 'portolan_now_ms');
        if current_setting('timescaledb.license', true) = 'timescale' then
          alter table ${table} set (timescaledb.compress, timescaledb.compress_segmentby = 'scanner_id',
            timescaledb.compress_orderby = 'at');
          perform add_compression_policy('${table}', compress_after => bigint '${compressAfterMs}');
        end if;`;
}
