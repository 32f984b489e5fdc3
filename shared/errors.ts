/**
 * The one error family of Portolan: what can go wrong in operation.
 * What cannot go wrong is asserted with a plain Error and crashes.
 */

export interface PortolanErrorOptions {
  /** True when the same call may succeed later without anyone changing anything. */
  readonly retryable?: boolean;
  /** Machine-readable facts, safe to show to the caller. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** An expected failure. `code` is stable and for programs, `message` is for people and safe to show. */
export class PortolanError extends Error {
  override readonly name: string = "PortolanError";
  readonly code: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: string, message: string, options: PortolanErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details;
  }
}

/** The user's input is wrong: nothing was started, nothing was changed. Commands exit with 2. */
export class UsageError extends PortolanError {
  override readonly name = "UsageError";
}

/** The text to show for anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
