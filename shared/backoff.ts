/** Exponential back-off with jitter: how long to wait before the next try. */

export interface BackoffPolicy {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Tries of one call, the first included. After them the call waits for its next turn. */
  readonly maxAttempts: number;
}

/** The scanner protocol's policy: 1 s doubling to 30 s, five tries at a time. */
export const SCANNER_BACKOFF: BackoffPolicy = { initialMs: 1_000, maxMs: 30_000, maxAttempts: 5 };

/**
 * Milliseconds to wait after the `attempt`-th failure (1 = first).
 * Jitter takes off up to a fifth, so that agents cut off together do not return together.
 * @param random a number in [0, 1)
 */
export function backoffDelayMs(policy: BackoffPolicy, attempt: number, random: number): number {
  const ceiling = Math.min(policy.maxMs, policy.initialMs * 2 ** Math.max(0, attempt - 1));
  return Math.round(ceiling * (1 - random * 0.2));
}
