/**
 * The tables as the queries see them. Migrations create them; this file only names their columns.
 * Times (`…_at`, `…_seen`) are milliseconds since 1970 UTC by the database's clock; JSON is text.
 */

import type { Generated } from "kysely";
import type { TransportProtocol } from "#shared/protocol/fields.ts";
import type { ChangeKind } from "#shared/protocol/changes.ts";
import type { SuspicionReason } from "#shared/protocol/endpoints.ts";
import type { PortState } from "#shared/protocol/port-state.ts";
import type { JobStatus, ScanEngine } from "#shared/protocol/job.ts";
import type { OperatorRole } from "#shared/protocol/administration.ts";
import type { BindingMode, ScanStatus } from "#shared/protocol/operator.ts";
import type { ScanProtocol } from "#shared/protocol/scan-templates.ts";
import type { ProtocolCode, StateCode } from "./endpoint-key.ts";

type Id = Generated<number>;

export interface ScannersTable {
  id: Id;
  name: string;
  description: string;
  rate_limit: number;
  binding_mode: BindingMode;
  /** Null: binds to the address of the next contact. */
  binding_value: string | null;
  mismatch_count: Generated<number>;
  api_key_hash: string | null;
  /** The key before the present one: tells a host that missed a re-provisioning from a stranger. */
  former_key_hash: string | null;
  install_id: string | null;
  version: string | null;
  hostname: string | null;
  os: string | null;
  arch: string | null;
  internal_ip: string | null;
  external_ip: string | null;
  capabilities: Generated<string>;
  metrics: string | null;
  registered_at: number | null;
  last_heartbeat_at: number | null;
  last_error_at: number | null;
  last_error_code: string | null;
  last_error_address: string | null;
  disabled_at: number | null;
  /** The group token by which it enrolled itself; null when an operator added it. */
  enrolment_token_id: number | null;
  /** Since when it waits for an operator's approval; null when it may work. */
  unapproved_at: number | null;
  /** Until when the former key is accepted too: it was rotated, and the present one has not been used. */
  former_key_expires_at: number | null;
  /** Since when the agent is to fetch a new key. */
  rotation_requested_at: number | null;
  /** When it was noticed that its heartbeats stopped; null while they come. */
  down_at: number | null;
  /** Deleted scanners keep their row, since results refer to it, and free their name. */
  deleted_at: number | null;
  created_by: string;
  created_at: number;
}

export interface ProvisioningTokensTable {
  id: Id;
  scanner_id: number;
  token_hash: string;
  created_at: number;
  expires_at: number;
  used_at: number | null;
  used_install_id: string | null;
  /** Set when a newer token replaced this one, or the scanner was deleted. */
  revoked_at: number | null;
}

export interface ScannerStatsTable {
  scanner_id: number;
  at: number;
  load_avg_1m: number | null;
  load_avg_5m: number | null;
  load_avg_15m: number | null;
  memory_total_bytes: number | null;
  memory_available_bytes: number | null;
  network_rx_bytes: number | null;
  network_tx_bytes: number | null;
  num_cpus: number | null;
}

/** Averages over five minutes from `at` on. */
export interface ScannerStatsAveragesTable extends ScannerStatsTable {
  samples: number;
}

/** One row: how far the averages are. */
export interface ScannerStatsProgressTable {
  window_start: number;
  window_end: number;
  after_scanner_id: number;
}

export interface ScansTable {
  id: Id;
  name: string;
  status: ScanStatus;
  /** JSON array of what the operator wrote. */
  targets: string;
  ports: string;
  engine: ScanEngine;
  /** JSON of `JobOptions`. */
  options: string;
  max_pps: number;
  /** Addresses times ports times vantage points, nothing counted twice. */
  probes: number;
  error_message: string | null;
  cancel_requested_at: number | null;
  created_by: string;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  /** What it was started by; these may be gone. */
  template_id: number | null;
  schedule_id: number | null;
  /** JSON of what the template was when the scan began: changes to it do not reach the scan. */
  template_snapshot: string | null;
  /** JSON of `ExpectedResult[]`. */
  expected: Generated<string>;
  /** 1 when open ports are asked what they are. */
  service_detection: Generated<number>;
  priority: Generated<number>;
  /** When the retention took its results, or its logs. */
  results_deleted_at: number | null;
  logs_deleted_at: number | null;
}

export interface VantagesTable {
  id: Id;
  /** `scanner:7`, or `subnet:3` for the pool of scanners that a subnet is assigned to. */
  key: string;
}

/** Which scanners may do a job that has not ended: the queue of each. */
export interface JobScannersTable {
  job_id: number;
  scanner_id: number;
  /** The job's. */
  priority: Generated<number>;
}

export interface JobsTable {
  id: Id;
  scan_id: number;
  /** Who has it, or had it last; before the first claim, one of those who may. */
  scanner_id: number;
  /** From where it looks; every new job has one. */
  vantage_id: number | null;
  status: JobStatus;
  /** JSON of `JobTarget[]`. */
  targets: string;
  probes: number;
  /** Times it was handed out. */
  attempt: Generated<number>;
  lease_id: string | null;
  lease_expires_at: number | null;
  progress_count: Generated<number>;
  result_count: Generated<number>;
  coverage: Generated<number>;
  error_message: string | null;
  /** JSON of `ScanSummary`. */
  summary: string | null;
  /** SHA-256 of the call that ended the job: its exact repeat is answered again. */
  completion_digest: string | null;
  created_at: number;
  /** When the present attempt began. */
  started_at: number | null;
  ended_at: number | null;
  /** Higher first. */
  priority: Generated<number>;
  /** The lowest limit of what it scans, not of who scans; 0 is none. */
  rate_pps: Generated<number>;
  /** Jobs of one vantage point with the same key share `rate_pps` while they run at the same time. */
  rate_key: string | null;
  /** How long it should take at its rate; 0 where nobody has reckoned. */
  estimate_seconds: Generated<number>;
  timeout_seconds: Generated<number>;
  /** When it came into the pool, or came back. */
  pending_since: Generated<number>;
  assigned_at: number | null;
  /** When its agent was told to stop because its time was over. */
  stop_requested_at: number | null;
  /** The one candidate that an operator wants to do it. */
  reserved_for: number | null;
  /** Result rows that came with it. */
  stored_results: Generated<number>;
  /** 1 when it found an open port, 0 when not; null until that was looked at. */
  found_open: number | null;
  /** Why what it says is not believed. */
  suspicious: SuspicionReason | null;
}

export interface JobBatchesTable {
  job_id: number;
  lease_id: string;
  kind: "results" | "logs";
  batch: number;
  row_count: number;
  stored_at: number;
}

/** The key is (scan_id, vantage_id, address, protocol, port); `at` comes with the scan. */
export interface ResultsTable {
  /** When the scan was made: PostgreSQL has partitions by it. */
  at: number;
  scan_id: number;
  vantage_id: number;
  address: Uint8Array;
  protocol: ProtocolCode;
  port: number;
  /** Who saw it last. */
  scanner_id: number;
  state: StateCode;
  reason: string;
  ttl: number | null;
  service: string | null;
  product: string | null;
  version: string | null;
  cpe: string | null;
  banner: string | null;
  mac_address: string | null;
  mac_vendor: string | null;
  first_seen: number;
  last_seen: number;
}

/** Hosts that answer on every port: what a scan says about them is kept, and not believed. */
export interface SuspiciousHostsTable {
  scan_id: number;
  vantage_id: number;
  address: Uint8Array;
  reason: SuspicionReason;
}

/** What is known of a port at present, by the last scan that could tell. */
export interface EndpointsTable {
  vantage_id: number;
  address: Uint8Array;
  protocol: ProtocolCode;
  port: number;
  state: StateCode;
  /** When it came into this state, as far as is known. */
  since: number;
  first_seen: number;
  /** When a scanner last reported it. */
  last_seen: number;
  /** The scan that told last. */
  scan_id: number;
  service: string | null;
  product: string | null;
  version: string | null;
}

export interface ChangesTable {
  id: Id;
  at: number;
  scan_id: number;
  job_id: number;
  vantage_id: number;
  address: Uint8Array;
  /** Null, with the port, where the change is the host's. */
  protocol: ProtocolCode | null;
  port: number | null;
  kind: ChangeKind;
  before: string | null;
  after: string | null;
}

/** A queue: jobs that have ended, until their results were compared with what was known. */
export interface EndedJobsTable {
  id: Id;
  job_id: number;
  scan_id: number;
  vantage_id: number;
  /** 1 while it waits for what the scan's other jobs find. */
  held: Generated<number>;
  /** Up to which address it was compared; null before it was judged. */
  position: string | null;
}

export interface CoveredScopesTable {
  vantage_id: number;
  /** SHA-256 of `targets`. */
  digest: string;
  first_address: Uint8Array;
  last_address: Uint8Array;
  /** JSON of `JobTarget[]`. */
  targets: string;
  covered_at: number;
}

export interface ScanLogsTable {
  id: Id;
  scan_id: number;
  job_id: number;
  scanner_id: number;
  at: number;
  level: string;
  message: string;
}

export interface OperatorTokensTable {
  id: Id;
  name: string;
  token_hash: string;
  role: OperatorRole;
  created_by: string;
  created_at: number;
  revoked_at: number | null;
  last_used_at: number | null;
}

export interface OperatorSessionsTable {
  id: Id;
  /** The token that was shown at sign-in: the session has its role, and ends with it. */
  token_id: number;
  session_hash: string;
  created_at: number;
  expires_at: number;
}

/** What the rows of the catalogue share. A deleted row keeps its id, which others may still tell of, and frees its name. */
export interface CatalogueTable {
  id: Id;
  name: string;
  description: string;
  created_by: string;
  created_at: number;
  updated_at: number;
  deleted_at: number | null;
}

export interface SubnetsTable extends CatalogueTable {
  /** Canonical: `10.0.0.0/16`. */
  cidr: string;
  /** JSON array of what the operator wrote. */
  exclusions: string;
  /** Addresses that are probed. */
  hosts: number;
  rate_limit: number;
}

export interface PortListsTable extends CatalogueTable {
  /** What the operator wrote. */
  spec: string;
  canonical: string;
  ports: number;
  rate_limit: number;
}

export type ScannerGroupsTable = CatalogueTable;

export interface DiscoveryListsTable extends CatalogueTable {
  rate_limit: number;
  /** How many there are in `discovery_addresses`. */
  addresses: Generated<number>;
  last_push_at: number | null;
}

export interface DiscoveryAddressesTable {
  id: Id;
  list_id: number;
  /** Canonical. */
  address: string;
  first_seen: number;
  last_seen: number;
}

export interface ScanTemplatesTable extends CatalogueTable {
  engine: ScanEngine;
  protocol: ScanProtocol;
  /** 0 or 1 */
  service_detection: number;
  /** JSON of `JobOptions`. */
  options: string;
}

export interface ExpectedResultsTable {
  id: Id;
  template_id: number;
  address: string;
  protocol: TransportProtocol;
  port: number;
  state: PortState;
}

/** What of the catalogue is shown as one network of Open Port Monitor. */
export interface NetworksTable {
  id: Id;
  subnet_id: number;
  port_list_id: number;
  template_id: number;
  created_at: number;
}

export interface AuditTable {
  id: Id;
  at: number;
  actor: string;
  action: string;
  object: string;
  detail: string;
  prev_hash: string;
  hash: string;
}

export interface SchedulesTable {
  id: Id;
  name: string;
  template_id: number;
  /** JSON of `ScheduleTiming`. */
  timing: string;
  time_zone: string;
  jitter_seconds: number;
  /** 0 or 1. */
  enabled: number;
  /** The time that its timing names; null when it is disabled. */
  next_run_at: number | null;
  /** That time with its jitter. */
  fire_at: number | null;
  /** The time, by its timing, of the run that was dealt with last. */
  last_run_at: number | null;
  last_scan_id: number | null;
  /** Why the last run made no scan; null when it made one. */
  last_note: string | null;
  last_note_at: number | null;
  created_by: string;
  created_at: number;
  updated_at: number;
}

export interface EnrolmentTokensTable {
  id: Id;
  name: string;
  token_hash: string;
  /** What the scanners get that enrol themselves with it. */
  binding_mode: BindingMode;
  rate_limit: number;
  max_uses: number;
  uses: Generated<number>;
  created_by: string;
  created_at: number;
  expires_at: number;
  last_used_at: number | null;
  revoked_at: number | null;
}

export interface SettingsTable {
  name: string;
  value: string;
  updated_by: string;
  updated_at: number;
}

/** Keys that all replicas sign with. */
export interface SigningKeysTable {
  name: string;
  /** base64url */
  secret: string;
  created_at: number;
}

/** When what is done once in a while was done last, by whichever replica. */
export interface TurnsTable {
  name: string;
  taken_at: number;
}

export interface SchemaMigrationsTable {
  version: number;
  name: string;
  checksum: string;
  applied_at: number;
}

export interface Tables {
  scanners: ScannersTable;
  provisioning_tokens: ProvisioningTokensTable;
  scanner_stats: ScannerStatsTable;
  scanner_stats_5m: ScannerStatsAveragesTable;
  scanner_stats_progress: ScannerStatsProgressTable;
  scans: ScansTable;
  vantages: VantagesTable;
  job_scanners: JobScannersTable;
  jobs: JobsTable;
  job_batches: JobBatchesTable;
  results: ResultsTable;
  suspicious_hosts: SuspiciousHostsTable;
  endpoints: EndpointsTable;
  changes: ChangesTable;
  ended_jobs: EndedJobsTable;
  covered_scopes: CoveredScopesTable;
  scan_logs: ScanLogsTable;
  operator_tokens: OperatorTokensTable;
  operator_sessions: OperatorSessionsTable;
  subnets: SubnetsTable;
  port_lists: PortListsTable;
  scanner_groups: ScannerGroupsTable;
  discovery_lists: DiscoveryListsTable;
  discovery_addresses: DiscoveryAddressesTable;
  scan_templates: ScanTemplatesTable;
  expected_results: ExpectedResultsTable;
  networks: NetworksTable;
  audit: AuditTable;
  schedules: SchedulesTable;
  enrolment_tokens: EnrolmentTokensTable;
  settings: SettingsTable;
  signing_keys: SigningKeysTable;
  turns: TurnsTable;
  schema_migrations: SchemaMigrationsTable;
}
