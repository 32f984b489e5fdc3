/**
 * The tables as the queries see them. Migrations create them; this file only names their columns.
 * Times (`…_at`, `…_seen`) are milliseconds since 1970 UTC by the database's clock; JSON is text.
 */

import type { Generated } from "kysely";
import type { TransportProtocol } from "#shared/protocol/fields.ts";
import type { PortState } from "#shared/protocol/port-state.ts";
import type { JobStatus } from "#shared/protocol/job.ts";
import type { OperatorRole } from "#shared/protocol/administration.ts";
import type { BindingMode, ScanStatus } from "#shared/protocol/operator.ts";

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

export interface ScansTable {
  id: Id;
  name: string;
  status: ScanStatus;
  /** JSON array of what the operator wrote. */
  targets: string;
  ports: string;
  engine: "syn" | "connect";
  /** JSON of `JobOptions`. */
  options: string;
  max_pps: number;
  /** Addresses times ports times scanners. */
  probes: number;
  error_message: string | null;
  cancel_requested_at: number | null;
  created_by: string;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

export interface VantagesTable {
  id: Id;
  /** `scanner:7`, or `subnet:3` for the pool of scanners that a subnet is assigned to. */
  key: string;
}

/** Which scanners may do a job. */
export interface JobScannersTable {
  job_id: number;
  scanner_id: number;
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
  started_at: number | null;
  ended_at: number | null;
}

export interface JobBatchesTable {
  job_id: number;
  lease_id: string;
  kind: "results" | "logs";
  batch: number;
  row_count: number;
  stored_at: number;
}

export interface ResultsTable {
  id: Id;
  scan_id: number;
  scanner_id: number;
  address: string;
  protocol: TransportProtocol;
  port: number;
  state: PortState;
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
  scans: ScansTable;
  vantages: VantagesTable;
  job_scanners: JobScannersTable;
  jobs: JobsTable;
  job_batches: JobBatchesTable;
  results: ResultsTable;
  scan_logs: ScanLogsTable;
  operator_tokens: OperatorTokensTable;
  operator_sessions: OperatorSessionsTable;
  audit: AuditTable;
  schema_migrations: SchemaMigrationsTable;
}
