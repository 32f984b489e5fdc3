/** How scans are handed out: what they began with, rates, queues and time-outs of jobs, and schedules. */

import type { Migration } from "../migrate.ts";

export const dispatch: Migration = {
  version: 6,
  name: "dispatch",
  statements: ({ kind, identity, integer }) => [
    `alter table scans add column template_id ${integer}`,
    `alter table scans add column schedule_id ${integer}`,
    `alter table scans add column template_snapshot text`,
    `alter table scans add column expected text not null default '[]'`,
    `alter table scans add column service_detection ${integer} not null default 0`,
    `alter table scans add column priority ${integer} not null default 0`,
    `create index scans_template on scans (template_id, id) where template_id is not null`,
    `create index scans_schedule on scans (schedule_id, id) where schedule_id is not null`,

    `alter table jobs add column priority ${integer} not null default 0`,
    `alter table jobs add column rate_pps ${integer} not null default 0`,
    `alter table jobs add column rate_key text`,
    `alter table jobs add column estimate_seconds ${integer} not null default 0`,
    `alter table jobs add column timeout_seconds ${integer} not null default 3600`,
    `alter table jobs add column pending_since ${integer} not null default 0`,
    `alter table jobs add column assigned_at ${integer}`,
    `alter table jobs add column stop_requested_at ${integer}`,
    `alter table jobs add column reserved_for ${integer} references scanners (id)`,
    `update jobs set
      rate_pps = (select max_pps from scans where scans.id = jobs.scan_id),
      rate_key = 'scan:' || scan_id,
      timeout_seconds = (select ${scanTimeoutOf(kind)} from scans where scans.id = jobs.scan_id),
      pending_since = created_at`,
    // The first finds a scanner's active jobs, the second those that share a rate, the third a scan's end. A job with a
    // lease is active; those that wait for a scanner may be thousands, and are not counted every time it calls.
    `create index jobs_active on jobs (scanner_id) where ended_at is null and lease_id is not null`,
    `create index jobs_rate on jobs (vantage_id, rate_key) where ended_at is null and lease_id is not null`,
    `create index jobs_unsettled on jobs (scan_id, id) where ended_at is null`,

    // A queue: jobs that have ended leave it, the others lie in it as they are to be claimed.
    `delete from job_scanners where job_id in (select id from jobs where ended_at is not null)`,
    `alter table job_scanners add column priority ${integer} not null default 0`,
    `drop index job_scanners_scanner`,
    `create index job_scanners_queue on job_scanners (scanner_id, priority desc, job_id)`,

    `create table schedules (
      id ${identity},
      name text not null unique,
      template_id ${integer} not null references scan_templates (id),
      timing text not null,
      time_zone text not null,
      jitter_seconds ${integer} not null,
      enabled ${integer} not null,
      next_run_at ${integer},
      fire_at ${integer},
      last_run_at ${integer},
      last_scan_id ${integer} references scans (id),
      last_note text,
      last_note_at ${integer},
      created_by text not null,
      created_at ${integer} not null,
      updated_at ${integer} not null
    )`,
    `create index schedules_due on schedules (fire_at) where fire_at is not null`,
    `create index schedules_template on schedules (template_id)`,
  ],
};

function scanTimeoutOf(kind: "sqlite" | "postgres"): string {
  return kind === "sqlite"
    ? `cast(json_extract(options, '$.scanTimeoutSeconds') as integer)`
    : `cast(cast(options as json) ->> 'scanTimeoutSeconds' as bigint)`;
}
