/**
 * Error codes of the HTTP interfaces and the status each is answered with.
 * A code never changes its meaning; clients switch on codes, people read messages.
 */

import { z } from "zod";

export const ERROR_STATUS = {
  INVALID_REQUEST: 400,
  INVALID_TARGET: 400,
  SCOPE_TOO_LARGE: 400,
  INVALID_PORT: 400,
  UNKNOWN_PLATFORM: 400,
  INVALID_API_KEY: 401,
  INVALID_PROVISIONING_TOKEN: 401,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  SCANNER_DISABLED: 403,
  SCANNER_NOT_APPROVED: 403,
  IP_BINDING_VIOLATION: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  CONFLICT: 409,
  IN_USE: 409,
  TEMPLATE_EMPTY: 409,
  JOB_NOT_YOURS: 409,
  JOB_ENDED: 409,
  LIMIT_REACHED: 409,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  AGENT_OUTDATED: 426,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  BINARY_NOT_BUILT: 501,
  DATABASE_UNAVAILABLE: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** What each code means, for the OpenAPI document. */
export const ERROR_MEANING: Readonly<Record<ErrorCode, string>> = {
  INVALID_REQUEST: "The body is no JSON, or a field is wrong; `details.issues` names the fields.",
  INVALID_TARGET: "A target specification cannot be read or names nothing that may be probed.",
  SCOPE_TOO_LARGE: "A target holds more addresses than can be tried one by one.",
  INVALID_PORT: "A port specification cannot be read or leaves no port.",
  UNKNOWN_PLATFORM: "The binary of an unknown platform or architecture was asked for.",
  INVALID_API_KEY: "A scanner's credential is unknown, revoked, or of the wrong kind.",
  INVALID_PROVISIONING_TOKEN: "The provisioning token is unknown, used, or past its hour.",
  UNAUTHENTICATED: "An operator's token is missing, unknown or revoked, or the session has ended.",
  FORBIDDEN: "The operator's role does not allow this, or a page of another origin asked for it.",
  SCANNER_DISABLED: "An operator disabled the scanner; it gets no jobs until it is enabled.",
  SCANNER_NOT_APPROVED:
    "The scanner enrolled itself and no operator has approved it yet, or the approval was revoked.",
  IP_BINDING_VIOLATION: "The scanner called from an address that its binding does not allow.",
  NOT_FOUND: "There is no such object, or nothing at this path.",
  METHOD_NOT_ALLOWED: "The path is known, but not with this method; `Allow` names those that are.",
  CONFLICT: "A name is taken, or the object is not in a state for this.",
  IN_USE: "Something still refers to the object; `details.usedBy` lists what.",
  TEMPLATE_EMPTY: "The template names nothing that a scanner could scan.",
  JOB_NOT_YOURS: "The job's lease is held by another agent, or ran out and was handed on.",
  JOB_ENDED: "The job has ended; nothing more is taken for it.",
  LIMIT_REACHED: "A cap of the installation is reached.",
  BODY_TOO_LARGE: "The body is larger than this call takes.",
  UNSUPPORTED_MEDIA_TYPE: "The body must be JSON, with `Content-Type: application/json`.",
  AGENT_OUTDATED:
    "The agent speaks a wire version that is no longer served; `details.minWireVersion` is the oldest that is.",
  RATE_LIMITED: "Too many attempts from this address; ask again after `Retry-After`.",
  INTERNAL: "A fault of the control plane; its log says more.",
  BINARY_NOT_BUILT:
    "A known platform whose binary this control plane does not have, or that no agent runs on; or the source.",
  DATABASE_UNAVAILABLE: "The database cannot be reached; ask again after `Retry-After`.",
};

/** The one error body of every interface. */
export const errorBodySchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
});
export type ErrorBody = z.infer<typeof errorBodySchema>;
