/** Errors that say which field of a request is wrong, and which word in it. */

import { PortolanError } from "#shared/errors.ts";
import { excerpt } from "#shared/net/excerpt.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { refusal } from "./refusal.ts";

/** @param token the word of the field that is wrong; cut short where it is long */
export function fieldError(code: ErrorCode, field: string, token: string, why: string): PortolanError {
  const shown = excerpt(token);
  return refusal(code, `${field}: ${why}`, { field, token: shown });
}

/** Runs the work, which reads a field, and names the field in what it throws. */
export function readingField<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PortolanError)) throw error;
    throw new PortolanError(error.code, `${field}: ${error.message}`, {
      details: { ...error.details, field },
      cause: error,
    });
  }
}
