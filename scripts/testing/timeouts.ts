/** How long tests may take. Long, so that a slow machine is no failure: nothing but giving up depends on it. */

/** With real packets and real servers. */
export const E2E_TIMEOUT_MS = 120_000;
/** For what a test waits for. */
export const WAIT_TIMEOUT_MS = 60_000;
