/** Errors with a code of the wire contract: how a service says no. */

import { PortolanError } from "#shared/errors.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";

type Details = Readonly<Record<string, unknown>>;

/** @param details facts for programs, safe to show; `retryAfterSeconds` also becomes the `Retry-After` header */
export function refusal(code: ErrorCode, message: string, details?: Details): PortolanError {
  return new PortolanError(code, message, details === undefined ? {} : { details });
}
