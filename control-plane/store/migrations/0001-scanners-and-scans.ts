/** Scanners and their credentials, scans, jobs, results, operators, audit. */

import type { Migration } from "../migrate.ts";

export const scannersAndScans: Migration = {
  version: 1,
  name: "scanners-and-scans",
  statements: ({ identity, integer, real }) => [
    `create table scanners (
      id ${identity},
      name text not null,
      description text not null,
      rate_limit ${integer} not null,
      binding_mode text not null,
      binding_value text,
      mismatch_count ${integer} not null default 0,
      api_key_hash text unique,
      former_key_hash text,
      install_id text,
      version text,
      hostname text,
      os text,
      arch text,
      internal_ip text,
      external_ip text,
      capabilities text not null default '[]',
      metrics text,
      registered_at ${integer},
      last_heartbeat_at ${integer},
      last_error_at ${integer},
      last_error_code text,
      last_error_address text,
      disabled_at ${integer},
      deleted_at ${integer},
      created_by text not null,
      created_at ${integer} not null
    )`,
    `create unique index scanners_name on scanners (name) where deleted_at is null`,
    `create index scanners_former_key on scanners (former_key_hash)`,

    `create table provisioning_tokens (
      id ${identity},
      scanner_id ${integer} not null references scanners (id),
      token_hash text not null unique,
      created_at ${integer} not null,
      expires_at ${integer} not null,
      used_at ${integer},
      used_install_id text,
      revoked_at ${integer}
    )`,
    `create index provisioning_tokens_scanner on provisioning_tokens (scanner_id)`,

    `create table scanner_stats (
      scanner_id ${integer} not null references scanners (id),
      at ${integer} not null,
      load_avg_1m ${real},
      load_avg_5m ${real},
      load_avg_15m ${real},
      memory_total_bytes ${integer},
      memory_available_bytes ${integer},
      network_rx_bytes ${integer},
      network_tx_bytes ${integer},
      num_cpus ${integer}
    )`,
    `create index scanner_stats_scanner_at on scanner_stats (scanner_id, at)`,

    `create table scans (
      id ${identity},
      name text not null,
      status text not null,
      targets text not null,
      ports text not null,
      engine text not null,
      options text not null,
      max_pps ${integer} not null,
      probes ${integer} not null,
      error_message text,
      cancel_requested_at ${integer},
      created_by text not null,
      created_at ${integer} not null,
      started_at ${integer},
      ended_at ${integer}
    )`,

    `create table jobs (
      id ${identity},
      scan_id ${integer} not null references scans (id),
      scanner_id ${integer} not null references scanners (id),
      status text not null,
      targets text not null,
      probes ${integer} not null,
      attempt ${integer} not null default 0,
      lease_id text,
      lease_expires_at ${integer},
      progress_count ${integer} not null default 0,
      result_count ${integer} not null default 0,
      coverage ${real} not null default 0,
      error_message text,
      summary text,
      completion_digest text,
      created_at ${integer} not null,
      started_at ${integer},
      ended_at ${integer}
    )`,
    `create index jobs_scan on jobs (scan_id)`,
    // Only jobs that have not ended are ever looked for by scanner or by lease; the ended ones pile up for ever.
    `create index jobs_open on jobs (scanner_id, id) where ended_at is null`,

    `create table job_batches (
      job_id ${integer} not null references jobs (id),
      lease_id text not null,
      kind text not null,
      batch ${integer} not null,
      row_count ${integer} not null,
      stored_at ${integer} not null,
      primary key (job_id, lease_id, kind, batch)
    )`,

    `create table results (
      id ${identity},
      scan_id ${integer} not null references scans (id),
      scanner_id ${integer} not null references scanners (id),
      address text not null,
      protocol text not null,
      port ${integer} not null,
      state text not null,
      reason text not null,
      ttl ${integer},
      service text,
      product text,
      version text,
      cpe text,
      banner text,
      mac_address text,
      mac_vendor text,
      first_seen ${integer} not null,
      last_seen ${integer} not null
    )`,
    `create unique index results_endpoint on results (scan_id, scanner_id, address, protocol, port)`,
    `create index results_scan on results (scan_id, id)`,

    `create table scan_logs (
      id ${identity},
      scan_id ${integer} not null references scans (id),
      job_id ${integer} not null references jobs (id),
      scanner_id ${integer} not null references scanners (id),
      at ${integer} not null,
      level text not null,
      message text not null
    )`,
    `create index scan_logs_scan on scan_logs (scan_id, id)`,

    `create table operator_tokens (
      id ${identity},
      name text not null,
      token_hash text not null unique,
      role text not null,
      created_by text not null,
      created_at ${integer} not null,
      revoked_at ${integer},
      last_used_at ${integer}
    )`,

    `create table audit (
      id ${identity},
      at ${integer} not null,
      actor text not null,
      action text not null,
      object text not null,
      detail text not null,
      prev_hash text not null,
      hash text not null
    )`,
  ],
};
