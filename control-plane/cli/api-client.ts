/** Client of a running control plane, for the commands. Answers are checked by the schemas that the server uses. */

import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { errorMessage, PortolanError, UsageError } from "#shared/errors.ts";
import { errorBodySchema } from "#shared/protocol/errors.ts";

const REQUEST_TIMEOUT_MS = 30_000;

export interface ApiClientOptions {
  /** `http://127.0.0.1:8420` */
  readonly serverUrl: string;
  readonly token: string;
}

export class ApiClient {
  private readonly options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.options = options;
  }

  get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    return this.request("GET", path, schema, undefined);
  }

  post<T>(path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> {
    return this.request("POST", path, schema, body);
  }

  /** @throws UsageError when the server cannot be reached or refuses; PortolanError when it fails */
  private async request<T>(method: string, path: string, schema: z.ZodType<T>, body: unknown): Promise<T> {
    const response = await this.send(method, path, body);
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok) throw refused(response.status, answer);
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new PortolanError(
      "UNEXPECTED_ANSWER",
      `${this.options.serverUrl} is no portolan-control of this version`,
    );
  }

  private async send(method: string, path: string, body: unknown): Promise<Response> {
    const { serverUrl, token } = this.options;
    try {
      return await fetch(`${serverUrl}${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw new UsageError("UNREACHABLE", `cannot reach ${serverUrl}: ${errorMessage(error)}`, {
        cause: error,
      });
    }
  }
}

function refused(status: number, answer: unknown): PortolanError {
  const body = errorBodySchema.safeParse(answer);
  const { code, message } = body.success
    ? body.data.error
    : { code: "UNEXPECTED_ANSWER", message: `the server answered with status ${status}` };
  return status < 500 ? new UsageError(code, message) : new PortolanError(code, message);
}

/** @throws UsageError saying where the token was looked for */
export async function readTokenFile(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(
      "NO_TOKEN",
      `cannot read the operator's token from ${path} (${errorMessage(error)}); set PORTOLAN_TOKEN or --token-file`,
    );
  }
  const token = text.trim();
  if (token === "") throw new UsageError("NO_TOKEN", `there is no token in ${path}`);
  return token;
}
