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

export const MAX_RATE_PPS = 100_000;
export const MAX_SCANNERS = 10_000;
export const MAX_NAME_LENGTH = 100;
export const MAX_DESCRIPTION_LENGTH = 10_000;
export const MAX_CAPABILITIES = 50;

export const DEFAULT_SCAN_TIMEOUT_SECONDS = 3_600;
export const DEFAULT_PORT_TIMEOUT_MS = 1_500;
export const DEFAULT_RETRIES = 1;
export const MAX_RETRIES = 10;

/** Text of one target; a range between two IPv6 addresses fits, however they are written. */
export const MAX_TARGET_LENGTH = 100;
/** Address ranges of one job. */
export const MAX_TARGET_RANGES = 65_536;
/** Addresses × ports of one job: what an agent can number. */
export const MAX_PROBES_PER_JOB = 2 ** 48;
/** Text of one port specification; 65,535 single ports fit. */
export const MAX_PORT_SPEC_LENGTH = 400_000;
/** Results in one batch, and batches in one job. Any batch fits MAX_RESULT_BODY_BYTES, hostile banners included. */
export const MAX_RESULTS_PER_BATCH = 500;
export const MAX_BATCHES_PER_JOB = 1_000_000;
export const MAX_BANNER_LENGTH = 4_096;
export const MAX_ERROR_LENGTH = 2_000;
/** Any batch of log lines fits MAX_BODY_BYTES. */
export const MAX_LOG_LINES_PER_BATCH = 80;
export const MAX_LOG_MESSAGE_LENGTH = 2_000;

/** Body of any call but a result batch, and of a result batch. */
export const MAX_BODY_BYTES = 1_048_576;
export const MAX_RESULT_BODY_BYTES = 16 * 1_048_576;

/** Rows in one page of a list. */
export const DEFAULT_PAGE_SIZE = 100;
export const MAX_PAGE_SIZE = 1_000;
