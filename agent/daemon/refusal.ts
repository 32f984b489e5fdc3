/** What a refused call means for the agent as a whole, said in the words of the operator's guide. */

import type { Log } from "#shared/log.ts";
import { errorMessage } from "#shared/errors.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { ApiError } from "../client/api-error.ts";

/** How long an agent that is not welcome waits before it asks again. */
export const UNWELCOME_WAIT_MS = 60_000;

/** Unauthorized, Forbidden, Upgrade Required. */
const UNWELCOME: ReadonlySet<number> = new Set([401, 403, 426]);

/** The control plane answered, and does not want this scanner: its key, its state, its address, or its age. */
export function isUnwelcome(error: unknown): error is ApiError {
  return error instanceof ApiError && UNWELCOME.has(error.status);
}

/** What the control plane says of a job that is not this agent's any more: taken over, ended or deleted. */
const JOB_GONE: ReadonlySet<string> = new Set<ErrorCode>(["JOB_NOT_YOURS", "JOB_ENDED", "NOT_FOUND"]);

/** By the control plane's own codes: a proxy in between answers 404 too while its backend restarts. */
export function isJobGone(error: unknown): boolean {
  return error instanceof ApiError && JOB_GONE.has(error.code);
}

export function logRefusal(log: Log, call: string, error: unknown): void {
  const fields = error instanceof ApiError ? { call, status: error.status, code: error.code } : { call };
  if (error instanceof ApiError && error.status === 401) {
    log.error("auth.failed", `Authentication failed: ${error.message}`, fields);
  } else if (isUnwelcome(error)) {
    log.error("auth.refused", `The control plane refuses this scanner: ${error.message}`, fields);
  } else if (error instanceof ApiError && error.status === 429) {
    log.warning(
      "rate.limited",
      `Rate limited, waiting ${Math.round((error.retryAfterMs ?? 0) / 1_000)} seconds`,
      fields,
    );
  } else {
    log.warning("call.failed", errorMessage(error), fields);
  }
}
