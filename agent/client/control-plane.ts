/**
 * The scanner API as typed calls: one request each, answers parsed before they are believed.
 * Retrying is the caller's business, because only it knows what may wait.
 */

import type { z } from "zod";
import {
  API_KEY_HEADER,
  type HeartbeatRequest,
  type HeartbeatResponse,
  heartbeatResponseSchema,
  type RegisterRequest,
  type RegisterResponse,
  registerResponseSchema,
  type RotateKeyResponse,
  rotateKeyResponseSchema,
} from "#shared/protocol/scanner.ts";
import {
  type JobCompleteRequest,
  type JobDirective,
  jobDirectiveSchema,
  type JobLogsRequest,
  type JobProgressRequest,
  type JobResultsRequest,
  type JobsResponse,
  jobsResponseSchema,
} from "#shared/protocol/job.ts";
import { PORTOLAN_VERSION, WIRE_VERSION, WIRE_VERSION_HEADER } from "#shared/protocol/version.ts";
import { readText } from "./bounded-body.ts";
import { explainTransportFailure } from "./transport-failure.ts";
import { ApiError, errorOfResponse, parseJson } from "./api-error.ts";

const TIMEOUT_MS = 30_000;
/** A large body needs time on a slow line: a second more for each of these. */
const BYTES_PER_SECOND = 32 * 1024;
const POLL_MARGIN_MS = 15_000;
/** Far above any answer: eight jobs of the largest kind that a control plane hands out. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export interface ClientOptions {
  readonly server: string;
  readonly apiKey: string | undefined;
  /** PEM text of an authority to trust beside the system's. */
  readonly ca: string | undefined;
  /** Ends every call under way: whoever stops must not wait for a control plane that hangs. */
  readonly signal?: AbortSignal;
}

export class ControlPlaneClient {
  private readonly options: ClientOptions;
  private apiKey: string | undefined;

  constructor(options: ClientOptions) {
    this.options = options;
    this.apiKey = options.apiKey;
  }

  /** Every call from now on carries this key. */
  useKey(apiKey: string): void {
    this.apiKey = apiKey;
  }

  register(request: RegisterRequest): Promise<RegisterResponse> {
    return this.post("/scanner/register", request, registerResponseSchema);
  }

  heartbeat(request: HeartbeatRequest): Promise<HeartbeatResponse> {
    return this.post("/scanner/heartbeat", request, heartbeatResponseSchema);
  }

  /** Asks for a new key; the present one works until the new one is used. */
  rotateKey(): Promise<RotateKeyResponse> {
    return this.call("POST", "/scanner/rotate-key", undefined, rotateKeyResponseSchema, TIMEOUT_MS);
  }

  /** Waits up to `waitSeconds` for work. @param most jobs in the answer, from 1 to MAX_JOBS_PER_POLL */
  jobs(waitSeconds: number, most: number, signal: AbortSignal): Promise<JobsResponse> {
    const timeoutMs = waitSeconds * 1_000 + POLL_MARGIN_MS;
    return this.call(
      "GET",
      `/scanner/jobs?wait=${waitSeconds}&max=${most}`,
      undefined,
      jobsResponseSchema,
      timeoutMs,
      signal,
    );
  }

  startJob(jobId: number, leaseId: string): Promise<JobDirective> {
    return this.post(`/scanner/jobs/${jobId}/start`, { leaseId }, jobDirectiveSchema);
  }

  reportProgress(jobId: number, request: JobProgressRequest): Promise<JobDirective> {
    return this.post(`/scanner/jobs/${jobId}/progress`, request, jobDirectiveSchema);
  }

  deliverResults(jobId: number, request: JobResultsRequest): Promise<JobDirective> {
    return this.post(`/scanner/jobs/${jobId}/results`, request, jobDirectiveSchema);
  }

  deliverLogs(jobId: number, request: JobLogsRequest): Promise<JobDirective> {
    return this.post(`/scanner/jobs/${jobId}/logs`, request, jobDirectiveSchema);
  }

  completeJob(jobId: number, request: JobCompleteRequest): Promise<JobDirective> {
    return this.post(`/scanner/jobs/${jobId}/complete`, request, jobDirectiveSchema);
  }

  private post<T extends z.ZodType>(path: string, body: unknown, answer: T): Promise<z.output<T>> {
    const text = JSON.stringify(body);
    const timeoutMs = TIMEOUT_MS + (text.length / BYTES_PER_SECOND) * 1_000;
    return this.call("POST", path, text, answer, timeoutMs);
  }

  /** @throws ApiError for every way in which a call can fail */
  private async call<T extends z.ZodType>(
    method: "GET" | "POST",
    path: string,
    body: string | undefined,
    answer: T,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<z.output<T>> {
    const { server, ca } = this.options;
    const { apiKey } = this;
    const timeout = AbortSignal.timeout(timeoutMs);
    let response: Response;
    let content: unknown;
    try {
      response = await fetch(`${server}${path}`, {
        method,
        headers: {
          accept: "application/json",
          "user-agent": `portolan-agent/${PORTOLAN_VERSION}`,
          [WIRE_VERSION_HEADER]: String(WIRE_VERSION),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(apiKey === undefined ? {} : { [API_KEY_HEADER]: apiKey }),
        },
        // A redirect could carry the key to another host.
        redirect: "error",
        signal: AbortSignal.any([timeout, this.options.signal, signal].filter((each) => each !== undefined)),
        ...(body === undefined ? {} : { body }),
        ...(ca === undefined ? {} : { tls: { ca } }),
      });
      if (!response.ok) throw await errorOfResponse(response);
      content = parseJson(await readText(response, MAX_ANSWER_BYTES));
    } catch (cause) {
      if (cause instanceof ApiError) throw cause;
      const { code, reason } = explainTransportFailure(cause);
      throw new ApiError(code, `cannot reach the control plane at ${server}: ${reason}`, {
        status: 0,
        retryAfterMs: undefined,
        cause,
      });
    }
    const parsed = answer.safeParse(content);
    if (parsed.success) return parsed.data;
    throw new ApiError(
      "BAD_ANSWER",
      `the control plane at ${server} answered ${path} with something unexpected; is it a Portolan of this age?`,
      { status: 502, retryAfterMs: undefined, cause: parsed.error },
    );
  }
}
