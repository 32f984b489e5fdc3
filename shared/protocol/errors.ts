/**
 * Error codes of the HTTP interfaces and the status each is answered with.
 * A code never changes its meaning; clients switch on codes, people read messages.
 */

import { z } from "zod";

export const ERROR_STATUS = {
  /** The body is no JSON, or a field is wrong; `details.issues` names the fields. */
  INVALID_REQUEST: 400,
  /** A target specification cannot be read or names nothing that may be probed. */
  INVALID_TARGET: 400,
  /** A target holds more addresses than can be tried one by one. */
  SCOPE_TOO_LARGE: 400,
  /** A port specification cannot be read or leaves no port. */
  INVALID_PORT: 400,
  /** The binary of an unknown platform or architecture was asked for. */
  UNKNOWN_PLATFORM: 400,
  /** A scanner's credential is unknown, revoked, or of the wrong kind. */
  INVALID_API_KEY: 401,
  /** The provisioning token is unknown, used, or past its hour. */
  INVALID_PROVISIONING_TOKEN: 401,
  /** An operator's token is missing, unknown or revoked, or the session has ended. */
  UNAUTHENTICATED: 401,
  /** The operator's role does not allow this, or a page of another origin asked for it. */
  FORBIDDEN: 403,
  SCANNER_DISABLED: 403,
  /** The scanner called from an address that its binding does not allow. */
  IP_BINDING_VIOLATION: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  /** A name is taken, or the object is still referred to. */
  CONFLICT: 409,
  /** The job's lease is held by another agent, or ran out and was handed on. */
  JOB_NOT_YOURS: 409,
  /** The job has ended; nothing more is taken for it. */
  JOB_ENDED: 409,
  /** A cap of the installation is reached. */
  LIMIT_REACHED: 409,
  BODY_TOO_LARGE: 413,
  /** The agent speaks a wire version that is no longer served; `details.minWireVersion` is the oldest that is. */
  AGENT_OUTDATED: 426,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  /** A known platform whose binary this control plane does not have, or that no agent runs on. */
  BINARY_NOT_BUILT: 501,
  /** The database cannot be reached; ask again after `Retry-After`. */
  DATABASE_UNAVAILABLE: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** The one error body of every interface. */
export const errorBodySchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
});
export type ErrorBody = z.infer<typeof errorBodySchema>;
