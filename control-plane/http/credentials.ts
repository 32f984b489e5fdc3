/** Credentials as requests carry them. Whether they are good is not decided here. */

import type { Context } from "hono";
import { API_KEY_HEADER } from "#shared/protocol/scanner.ts";
import type { AppEnv } from "./environment.ts";

export function bearerToken(c: Context<AppEnv>): string | undefined {
  return /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
}

export function apiKey(c: Context<AppEnv>): string | undefined {
  return c.req.header(API_KEY_HEADER);
}

/** One-time token, in either of the headers it may come in. */
export function provisioningToken(c: Context<AppEnv>): string | undefined {
  return c.req.header("x-provisioning-token") ?? bearerToken(c);
}
