/** Repeats a call that may succeed later, as the scanner protocol asks: 1 s doubling to 30 s, five tries at a time. */

import { backoffDelayMs, type BackoffPolicy } from "#shared/backoff.ts";
import type { Clock } from "#shared/clock.ts";
import { PortolanError } from "#shared/errors.ts";
import { ApiError } from "./api-error.ts";

export interface RetryOptions {
  readonly policy: BackoffPolicy;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told before each wait. */
  readonly onRetry: (error: PortolanError, attempt: number, waitMs: number) => void;
}

/** @throws what the last try threw: not retryable, out of tries, or told to stop */
export async function withRetry<T>(options: RetryOptions, call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      const retryable = error instanceof PortolanError && error.retryable;
      if (!retryable || attempt >= options.policy.maxAttempts || options.signal.aborted) throw error;
      const waitMs = retryDelayMs(error, options.policy, attempt);
      options.onRetry(error, attempt, waitMs);
      await options.clock.sleep(waitMs, options.signal);
      if (options.signal.aborted) throw error;
    }
  }
}

/** The control plane's own wish comes first, but "at once" is no wait at all: it would press what is in trouble. */
export function retryDelayMs(error: unknown, policy: BackoffPolicy, attempt: number): number {
  const asked = error instanceof ApiError ? error.retryAfterMs : undefined;
  return asked === undefined
    ? backoffDelayMs(policy, attempt, Math.random())
    : Math.max(asked, policy.initialMs);
}
