/** Credentials as requests carry them. Whether they are good is not decided here. */

import type { Context } from "hono";
import { API_KEY_HEADER } from "#shared/protocol/scanner.ts";
import type { ScannerCredential } from "../services/scanner-credentials.ts";
import type { AppEnv } from "./environment.ts";

export function bearerToken(c: Context<AppEnv>): string | undefined {
  return /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
}

/** A scanner's key, else the short-lived token that stands for it. Tokens of ours begin with `ptl_` and are others'. */
export function scannerCredential(c: Context<AppEnv>): ScannerCredential | undefined {
  const key = c.req.header(API_KEY_HEADER);
  if (key !== undefined) return { kind: "key", text: key };
  const token = bearerToken(c);
  return token === undefined || token.startsWith("ptl_") ? undefined : { kind: "token", text: token };
}

/** One-time token, in either of the headers it may come in. */
export function provisioningToken(c: Context<AppEnv>): string | undefined {
  return c.req.header("x-provisioning-token") ?? bearerToken(c);
}
