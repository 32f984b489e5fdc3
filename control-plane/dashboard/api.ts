/**
 * Calls of the JSON API with the session's cookie, which the browser adds by itself. Answers are checked against the
 * wire contract, and errors come as ApiError.
 */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { z } from "zod";
import { errorBodySchema } from "#shared/protocol/errors.ts";
import { ApiError, UNREACHABLE } from "./api-error.ts";

type Method = "GET" | "POST" | "DELETE";
type Query = Readonly<Record<string, string | number | undefined>>;

export class Api {
  private readonly onSessionEnd: () => void;

  /** @param onSessionEnd is told when a call was refused because nobody is signed in any more */
  constructor(onSessionEnd: () => void) {
    this.onSessionEnd = onSessionEnd;
  }

  /** @throws ApiError */
  async get<T>(path: string, schema: z.ZodType<T>, query: Query = {}, signal?: AbortSignal): Promise<T> {
    return schema.parse(await this.call("GET", path + queryString(query), undefined, signal));
  }

  /** @throws ApiError */
  async post<T>(path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> {
    return schema.parse(await this.call("POST", path, body));
  }

  /** @throws ApiError */
  async delete(path: string): Promise<void> {
    await this.call("DELETE", path);
  }

  private async call(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<unknown> {
    const response = await send(path, {
      method,
      ...(signal === undefined ? {} : { signal }),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
    if (response.status === 204) return undefined;
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer;
    const parsed = errorBodySchema.safeParse(answer);
    if (!parsed.success) {
      throw new ApiError(
        UNREACHABLE,
        `the control plane answered ${response.status}, and not in its own words`,
      );
    }
    const { code, message, details } = parsed.data.error;
    const isSignIn = method === "POST" && path === "/api/session";
    if (code === "UNAUTHENTICATED" && !isSignIn) this.onSessionEnd();
    throw new ApiError(code, message, details);
  }
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiError(UNREACHABLE, "the control plane cannot be reached");
  }
}

function queryString(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") parameters.set(name, String(value));
  }
  return parameters.size === 0 ? "" : `?${parameters}`;
}

export const ApiContext = createContext(new Api(() => undefined));

export function useApi(): Api {
  return useContext(ApiContext);
}
