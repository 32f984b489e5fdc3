/**
 * Every bound of the wire contract, in one place, so that their relations can be seen and are asserted.
 * Durations end in Ms or Seconds, sizes in Bytes.
 */

/** Agents send a heartbeat this often. */
export const HEARTBEAT_INTERVAL_MS = 60_000;
/** Two missed heartbeats: the scanner is offline. */
export const OFFLINE_AFTER_MS = 2 * HEARTBEAT_INTERVAL_MS;

/** A provisioning token serves once and only within this time. */
export const PROVISIONING_TOKEN_TTL_MS = 3_600_000;
/** Group tokens for hosts that make themselves scanners, how long each may serve, and for how many hosts. */
export const MAX_ENROLMENT_TOKENS = 1_000;
export const MAX_ENROLMENT_TTL_SECONDS = 365 * 86_400;
export const MAX_ENROLMENT_USES = 10_000;
/** A key that was rotated works this long, or until the new one is used. */
export const KEY_ROTATION_GRACE_MS = 86_400_000;
/** The token of `/scanner/auth` stands for the key this long. */
export const ACCESS_TOKEN_TTL_SECONDS = 900;
/** A browser's session ends after this, however much it is used. */
export const SESSION_TTL_MS = 12 * 3_600_000;
/** Attempts to authenticate from one address within one minute; the next answers 429. */
export const AUTH_ATTEMPTS_PER_MINUTE = 10;

/** A job belongs to its agent this long after the agent's last call about it. */
export const JOB_LEASE_MS = 120_000;
/** An agent reports progress at least this often while it scans, which renews the lease. */
export const PROGRESS_INTERVAL_MS = 2_000;
/** A job whose agent vanished is handed out again, this often in all. */
export const JOB_MAX_ATTEMPTS = 3;
/** Jobs in one answer to a poll. */
export const MAX_JOBS_PER_POLL = 8;
/** How long a poll may wait for work. */
export const MAX_POLL_WAIT_SECONDS = 55;

/** A scan is split into jobs that should take so long, unless that makes too many. */
export const JOB_TARGET_SECONDS = 180;
export const MAX_JOBS_PER_SCAN = 10_000;
/** A job that goes on after its time-out is told to stop after this, and given up after twice this. */
export const TIMEOUT_GRACE_MS = 30_000;
/** The least that asking open ports may take with nmap, however short the scan's time-out is. */
export const MIN_SERVICE_TIMEOUT_SECONDS = 120;

/** From when on a job counts as stuck. */
export const STUCK_PENDING_MS = 15 * 60_000;
export const STUCK_ASSIGNED_MS = 5 * 60_000;
export const STUCK_SILENT_MS = 2 * OFFLINE_AFTER_MS;
export const STUCK_AGE_MS = 24 * 3_600_000;
/** Of the time that a running job should take. */
export const STUCK_RUNNING_FACTOR = 3;
/** Jobs that should take less are given this. */
export const MIN_ESTIMATE_SECONDS = 60;

/** Jobs in the view of one scan. */
export const MAX_JOBS_SHOWN = 1_000;

export const MAX_SCHEDULES = 5_000;
export const MAX_JITTER_SECONDS = 86_400;
export const MAX_CRON_LENGTH = 200;
export const MAX_TIME_ZONE_LENGTH = 64;

export const MAX_RATE_PPS = 100_000;
export const MAX_SCANNERS = 10_000;
export const MAX_NAME_LENGTH = 100;
export const MAX_DESCRIPTION_LENGTH = 10_000;

/** What is scanned: how many there may be of each. */
export const MAX_SUBNETS = 50_000;
export const MAX_PORT_LISTS = 5_000;
export const MAX_PORTS_PER_LIST = 65_535;
export const MAX_SCAN_TEMPLATES = 5_000;
export const MAX_SCANNER_GROUPS = 1_000;
export const MAX_DISCOVERY_LISTS = 500;
export const MAX_ADDRESSES_PER_DISCOVERY_LIST = 100_000;
export const MAX_ADDRESSES_PER_PUSH = 10_000;
/** Names of subnets, lists, groups and templates. */
export const MAX_CATALOGUE_NAME_LENGTH = 255;
export const MAX_EXCLUSIONS_PER_SUBNET = 1_000;
/** Scanners in a group, or assigned to one subnet or discovery list. */
export const MAX_ASSIGNED_SCANNERS = 1_000;
export const MAX_ASSIGNED_GROUPS = 100;
export const MAX_DISCOVERY_LISTS_PER_TEMPLATE = 50;
export const MAX_PORT_LISTS_PER_TEMPLATE = 50;
/** Subnets and discovery lists times port lists of one template: each pair is planned by itself. */
export const MAX_TEMPLATE_PARTS = 500_000;
export const MAX_EXPECTED_RESULTS = 50_000;
export const MAX_EXPECTED_RESULTS_PER_CALL = 10_000;
export const MAX_CAPABILITIES = 50;

export const DEFAULT_SCAN_TIMEOUT_SECONDS = 3_600;
export const DEFAULT_PORT_TIMEOUT_MS = 1_500;
export const DEFAULT_RETRIES = 1;
export const MAX_RETRIES = 10;

/** Text of one target; a range between two IPv6 addresses fits, however they are written. */
export const MAX_TARGET_LENGTH = 100;
/** Sets of addresses with ports of their own in one job. */
export const MAX_TARGETS_PER_JOB = 1_000;
/** Address ranges of one job. */
export const MAX_TARGET_RANGES = 65_536;
/** Addresses × ports of one job: what an agent can number. */
export const MAX_PROBES_PER_JOB = 2 ** 48;
/** Text of one port specification; 65,535 single ports fit. */
export const MAX_PORT_SPEC_LENGTH = 400_000;
/** Results in one batch, and batches in one job. Agents cut batches so that they fit MAX_RESULT_BODY_BYTES too. */
export const MAX_RESULTS_PER_BATCH = 5_000;
export const MAX_BATCHES_PER_JOB = 1_000_000;
export const MAX_BANNER_LENGTH = 4_096;
export const MAX_ERROR_LENGTH = 2_000;
/** Any batch of log lines fits MAX_BODY_BYTES. */
export const MAX_LOG_LINES_PER_BATCH = 80;
export const MAX_LOG_MESSAGE_LENGTH = 2_000;

/** Body of any call but a result batch, and of a result batch. */
export const MAX_BODY_BYTES = 1_048_576;
export const MAX_RESULT_BODY_BYTES = 16 * 1_048_576;

/** Points in one answer of a series over time. */
export const MAX_SERIES_POINTS = 2_000;

/** Rows in one page of a list. */
export const DEFAULT_PAGE_SIZE = 100;
export const MAX_PAGE_SIZE = 1_000;
