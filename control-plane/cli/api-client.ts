/** Client of a running control plane, for the commands. Answers are checked by the schemas that the server uses. */

import { readFile } from "node:fs/promises";
import { z } from "zod";
import { errorMessage, PortolanError, UsageError } from "#shared/errors.ts";
import { errorBodySchema } from "#shared/protocol/errors.ts";
import { inWordsOfTheCaller, type TypedNames } from "./typed-names.ts";
import { whyUnreachable } from "./unreachable.ts";

const REQUEST_TIMEOUT_MS = 30_000;

export interface ApiClientOptions {
  /** `http://127.0.0.1:8420` */
  readonly serverUrl: string;
  readonly token: string;
  /** The authority of the server's certificate, PEM; undefined where the system knows it. */
  readonly ca: string | undefined;
}

export class ApiClient {
  private readonly options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.options = options;
  }

  get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    return this.request("GET", path, schema, undefined);
  }

  /** @param names how the body's fields are called by whoever typed them, for the errors */
  post<T>(path: string, schema: z.ZodType<T>, body?: unknown, names?: TypedNames): Promise<T> {
    return this.request("POST", path, schema, body, names);
  }

  delete(path: string): Promise<void> {
    return this.request("DELETE", path, z.void(), undefined);
  }

  /** @throws UsageError when the server cannot be reached or refuses; PortolanError when it fails */
  private async request<T>(
    method: string,
    path: string,
    schema: z.ZodType<T>,
    body: unknown,
    names: TypedNames = {},
  ): Promise<T> {
    const response = await this.send(method, path, body);
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok) throw refused(response.status, answer, names);
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new PortolanError(
      "UNEXPECTED_ANSWER",
      `${this.options.serverUrl} is no portolan-control of this version`,
    );
  }

  private async send(method: string, path: string, body: unknown): Promise<Response> {
    const { serverUrl, token, ca } = this.options;
    try {
      return await fetch(`${serverUrl}${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(ca === undefined ? {} : { tls: { ca } }),
      });
    } catch (error) {
      throw new UsageError("UNREACHABLE", `cannot reach ${serverUrl}: ${whyUnreachable(error)}`, {
        cause: error,
      });
    }
  }
}

function refused(status: number, answer: unknown, names: TypedNames): PortolanError {
  const body = errorBodySchema.safeParse(answer);
  const { code, message, details } = body.success
    ? body.data.error
    : { code: "UNEXPECTED_ANSWER", message: `the server answered with status ${status}` };
  const text = inWordsOfTheCaller(details, names) ?? message;
  return status < 500 ? new UsageError(code, text) : new PortolanError(code, text);
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
