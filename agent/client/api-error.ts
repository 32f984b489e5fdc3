/** A call that the control plane refused, or that did not reach it, as one error that says what to do next. */

import { PortolanError } from "#shared/errors.ts";
import { errorBodySchema } from "#shared/protocol/errors.ts";
import { readText } from "./bounded-body.ts";

/** Code of an error answer that the control plane did not write. */
const FOREIGN_ANSWER = "HTTP_ERROR";

export interface ApiErrorFacts {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly cause?: unknown;
}

export class ApiError extends PortolanError {
  override readonly name = "ApiError";
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** How long the control plane asked to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, facts: ApiErrorFacts) {
    const { status } = facts;
    super(code, message, {
      // An answer that is none of ours comes from something in between, which may be gone at the next try.
      retryable: status === 0 || status === 408 || status === 429 || status >= 500 || code === FOREIGN_ANSWER,
      cause: facts.cause,
    });
    this.status = status;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** What the agent waits after 429 where the control plane names no time. */
const DEFAULT_RETRY_AFTER_MS = 60_000;
const MAX_RETRY_AFTER_MS = 3_600_000;
const MAX_SHOWN = 300;
const MAX_ERROR_BYTES = 64 * 1024;

/** Reads a refusal. A body that is no error of ours, as a proxy may send, is shown in short. */
export async function errorOfResponse(response: Response): Promise<ApiError> {
  const text = await readText(response, MAX_ERROR_BYTES);
  const body = errorBodySchema.safeParse(parseJson(text));
  const facts = { status: response.status, retryAfterMs: retryAfterMs(response) };
  if (body.success) {
    return new ApiError(body.data.error.code, body.data.error.message, facts);
  }
  const shown = text.replaceAll(/\s+/g, " ").trim().slice(0, MAX_SHOWN);
  return new ApiError(FOREIGN_ANSWER, `HTTP ${response.status}${shown === "" ? "" : `: ${shown}`}`, facts);
}

function retryAfterMs(response: Response): number | undefined {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  if (Number.isFinite(seconds) && seconds >= 0) return Math.min(seconds * 1_000, MAX_RETRY_AFTER_MS);
  return response.status === 429 ? DEFAULT_RETRY_AFTER_MS : undefined;
}

/** Undefined where the text is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
