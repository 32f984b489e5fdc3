/** Errors as HTTP answers: the one body, the status of the code, and the log line for what is our fault. */

import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ZodError } from "zod";
import { errorMessage, PortolanError } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import { ERROR_STATUS, type ErrorBody, type ErrorCode } from "#shared/protocol/errors.ts";

const DATABASE_RETRY_AFTER_SECONDS = 5;
const MAX_ISSUES = 20;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_STATUS, code);
}

/** The answer to a request that failed. Logs what nobody meant to happen; its message is not shown. */
export function errorResponse(error: unknown, log: Log, request: { method: string; path: string }): Response {
  const known = asPortolanError(error);
  if (known === undefined || !isErrorCode(known.code)) {
    log.error("request.failed", `${request.method} ${request.path} failed: ${errorMessage(error)}`, {
      stack: error instanceof Error ? error.stack : undefined,
    });
    return render("INTERNAL", "something went wrong here; the log of portolan-control says what");
  }
  if (known.code === "DATABASE_UNAVAILABLE") {
    log.error("database.unavailable", `the database cannot be reached: ${errorMessage(known.cause)}`);
  }
  return render(known.code, known.message, known.details);
}

function render(code: ErrorCode, message: string, details?: Readonly<Record<string, unknown>>): Response {
  const body: ErrorBody = {
    error: { code, message, ...(details === undefined ? {} : { details: { ...details } }) },
  };
  const status: ContentfulStatusCode = ERROR_STATUS[code];
  const headers = new Headers();
  const retryAfter = details?.["retryAfterSeconds"];
  if (typeof retryAfter === "number") headers.set("Retry-After", String(retryAfter));
  if (code === "DATABASE_UNAVAILABLE") headers.set("Retry-After", String(DATABASE_RETRY_AFTER_SECONDS));
  if (code === "AGENT_OUTDATED") {
    // RFC 9110, 15.5.22: the answer must name what to upgrade to.
    headers.set("Upgrade", `portolan-wire/${String(details?.["minWireVersion"])}`);
    headers.set("Connection", "upgrade");
  }
  if (status === 401) headers.set("WWW-Authenticate", "Bearer");
  return Response.json(body, { status, headers });
}

function asPortolanError(error: unknown): PortolanError | undefined {
  if (error instanceof PortolanError) return error;
  if (!(error instanceof HTTPException)) return undefined;
  if (error.status === 413)
    return new PortolanError("BODY_TOO_LARGE", "the body is larger than this call takes");
  if (error.status === 415) {
    const message = "the body must be JSON, with Content-Type: application/json";
    return new PortolanError("UNSUPPORTED_MEDIA_TYPE", message);
  }
  return error.status === 400
    ? new PortolanError("INVALID_REQUEST", "the body is not valid JSON")
    : undefined;
}

/** Names the first wrong field in words, and all of them in `details.issues`. */
export function invalidRequest(error: ZodError): PortolanError {
  const issues = error.issues
    .flatMap(nearestIssues)
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => ({ path: path.map(String).join("."), message }));
  const [first = { path: "", message: "the request is not valid" }] = issues;
  const { path: field, message } = first;
  return field === ""
    ? new PortolanError("INVALID_REQUEST", message, { details: { issues } })
    : new PortolanError("INVALID_REQUEST", `${field}: ${message}`, { details: { field, issues } });
}

/** Of a body that may have one of several forms: what is wrong with it as the form that it is nearest to. */
function nearestIssues(issue: ZodError["issues"][number]): ZodError["issues"] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const nearest = issue.errors.reduce((least, other) => (other.length < least.length ? other : least));
  return nearest.map((inner) => Object.assign(inner, { path: [...issue.path, ...inner.path] }));
}

export function notFound(path: string): PortolanError {
  return new PortolanError("NOT_FOUND", `there is nothing at ${path}`);
}
