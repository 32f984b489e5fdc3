/**
 * Results by a small key that is also the order of pages, what each endpoint is at present, and how it changed.
 *
 * PostgreSQL has results as partitions by time, so that old ones are dropped and not deleted; in a database with the
 * extension TimescaleDB they are a hypertable. `at` is when the scan was made: the same for all of its results. Foreign
 * keys on results would be checked row by row, and scans are never deleted, so there are none.
 */

import type { ColumnTypes } from "../dialect.ts";
import type { Migration } from "../migrate.ts";

const DAY_MS = 86_400_000;

export const results: Migration = {
  version: 7,
  name: "results",
  statements: (types) => [
    `alter table results rename to results_before`,
    // Its name stays taken otherwise, on PostgreSQL.
    `drop index results_endpoint`,
    `drop index results_scan`,
    ...(types.kind === "sqlite" ? sqliteResults(types) : postgresResults(types)),
    `insert into results (at, scan_id, vantage_id, address, protocol, port, scanner_id, state, reason, ttl,
        service, product, version, cpe, banner, mac_address, mac_vendor, first_seen, last_seen)
      select scans.created_at, former.scan_id, vantages.id, ${addressBytes(types)},
        case former.protocol when 'udp' then 17 else 6 end, former.port, former.scanner_id,
        case former.state when 'open' then 3 when 'closed' then 2 else 1 end,
        former.reason, former.ttl, former.service, former.product, former.version, former.cpe, former.banner,
        former.mac_address, former.mac_vendor, former.first_seen, former.last_seen
      from results_before former
      join scans on scans.id = former.scan_id
      join vantages on vantages.key = 'scanner:' || former.scanner_id`,
    `drop table results_before`,

    // How many rows each job brought: counting millions would take seconds.
    `alter table jobs add column stored_results ${types.integer} not null default 0`,
    `update jobs set stored_results =
      (select count(*) from results where results.scan_id = jobs.scan_id and results.scanner_id = jobs.scanner_id)`,
    // 1 when it found an open port, 0 when not; null until it was looked at.
    `alter table jobs add column found_open ${types.integer}`,
    `update jobs set found_open = 0 where ended_at is not null`,
    `alter table jobs add column suspicious text`,
    `alter table scans add column results_deleted_at ${types.integer}`,
    `alter table scans add column logs_deleted_at ${types.integer}`,

    `create table suspicious_hosts (
      scan_id ${types.integer} not null references scans (id),
      vantage_id ${types.integer} not null references vantages (id),
      address ${types.bytes} not null,
      reason text not null,
      primary key (scan_id, vantage_id, address)
    )`,

    `create table endpoints (
      vantage_id ${types.integer} not null,
      address ${types.bytes} not null,
      protocol ${types.integer} not null,
      port ${types.integer} not null,
      state ${types.integer} not null,
      since ${types.integer} not null,
      first_seen ${types.integer} not null,
      last_seen ${types.integer} not null,
      scan_id ${types.integer} not null,
      service text,
      product text,
      version text,
      primary key (vantage_id, address, protocol, port)
    )${types.kind === "sqlite" ? " without rowid" : ""}`,

    `create table changes (
      id ${types.identity},
      at ${types.integer} not null,
      scan_id ${types.integer} not null references scans (id),
      job_id ${types.integer} not null references jobs (id),
      vantage_id ${types.integer} not null references vantages (id),
      address ${types.bytes} not null,
      protocol ${types.integer},
      port ${types.integer},
      kind text not null,
      before text,
      after text
    )`,
    `create index changes_at on changes (at, id)`,
    `create index changes_scan on changes (scan_id, at, id)`,
    `create index changes_vantage on changes (vantage_id, at, id)`,
    `create index changes_address on changes (address, at, id)`,

    // Jobs that have ended and whose results were not yet compared with what was known.
    `create table ended_jobs (
      id ${types.identity},
      job_id ${types.integer} not null unique references jobs (id),
      scan_id ${types.integer} not null,
      vantage_id ${types.integer} not null,
      held ${types.integer} not null default 0,
      position text
    )`,
    `create index ended_jobs_scan on ended_jobs (scan_id, vantage_id)`,
    // Of the jobs of one vantage point in a scan: which found something, and which may yet.
    `create index jobs_found on jobs (scan_id, vantage_id, found_open)`,

    // What each vantage point has once looked at in full: only there a port that was not open before is a change.
    `create table covered_scopes (
      vantage_id ${types.integer} not null references vantages (id),
      digest text not null,
      first_address ${types.bytes} not null,
      last_address ${types.bytes} not null,
      targets text not null,
      covered_at ${types.integer} not null,
      primary key (vantage_id, digest)
    )`,
    `create index covered_scopes_at on covered_scopes (vantage_id, covered_at)`,
  ],
};

function columns({ kind, integer, bytes }: ColumnTypes): string {
  const small = kind === "sqlite" ? integer : "smallint";
  const number = kind === "sqlite" ? integer : "integer";
  return `at ${integer} not null,
    scan_id ${integer} not null,
    vantage_id ${integer} not null,
    address ${bytes} not null,
    protocol ${small} not null,
    port ${number} not null,
    scanner_id ${integer} not null,
    state ${small} not null,
    reason text not null,
    ttl ${small},
    service text,
    product text,
    version text,
    cpe text,
    banner text,
    mac_address text,
    mac_vendor text,
    first_seen ${integer} not null,
    last_seen ${integer} not null,
    primary key (scan_id, vantage_id, address, protocol, port, at)`;
}

function sqliteResults(types: ColumnTypes): string[] {
  return [`create table results (${columns(types)}) without rowid`];
}

function postgresResults(types: ColumnTypes): string[] {
  return [
    `create function portolan_results_now_ms() returns bigint language sql stable
      as 'select cast(extract(epoch from now()) * 1000 as bigint)'`,
    // What is older than the retention is dropped by the control plane itself, which knows the settings.
    `do $do$
    begin
      if exists (select from pg_extension where extname = 'timescaledb') then
        create table results (${columns(types)});
        perform create_hypertable('results', 'at', chunk_time_interval => ${7 * DAY_MS}, create_default_indexes => false);
        perform set_integer_now_func('results', 'portolan_results_now_ms');
        if current_setting('timescaledb.license', true) = 'timescale' then
          alter table results set (timescaledb.compress, timescaledb.compress_segmentby = 'scan_id, vantage_id',
            timescaledb.compress_orderby = 'address, protocol, port');
          perform add_compression_policy('results', compress_after => bigint '${30 * DAY_MS}');
        end if;
      else
        create table results (${columns(types)}) partition by range (at);
        create table results_default partition of results default;
      end if;
    end
    $do$`,
  ];
}

/** The former text of an address, in its canonical form, as bytes. */
function addressBytes({ kind }: ColumnTypes): string {
  // Four bytes say family, prefix and length; the address follows.
  if (kind === "postgres") return `substring(inet_send(former.address::inet) from 5)`;
  return `case when former.address like '%:%' then ${sqliteIpv6Bytes()} else ${sqliteIpv4Bytes()} end`;
}

function sqliteIpv4Bytes(): string {
  const octets = `'[' || replace(former.address, '.', ',') || ']'`;
  const values = [0, 1, 2, 3].map((i) => `json_extract(${octets}, '$[${i}]')`);
  return `unhex(printf('%02x%02x%02x%02x', ${values.join(", ")}))`;
}

/** `::` is spelled out, then each group is filled up to four digits. Addresses were canonical, and never IPv4-mapped. */
function sqliteIpv6Bytes(): string {
  const closed = `case when former.address like '::%' then '0' else '' end || former.address ||
    case when former.address like '%::' then '0' else '' end`;
  const colons = `(length(${closed}) - length(replace(${closed}, ':', '')))`;
  const whole = `replace(${closed}, '::', ':' || substr('0:0:0:0:0:0:0:0:', 1, 2 * (8 - ${colons})))`;
  const groups = `'["' || replace(${whole}, ':', '","') || '"]'`;
  const padded = Array.from(
    { length: 8 },
    (_, i) => `substr('0000' || json_extract(${groups}, '$[${i}]'), -4)`,
  );
  return `unhex(${padded.join(" || ")})`;
}
