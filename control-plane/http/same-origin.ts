/**
 * Whether a request comes from a page of our own. Browsers say so in Sec-Fetch-Site, which scripts cannot set; to plain
 * HTTP addresses they do not send it, but Origin, which scripts cannot set either.
 */

import type { Context } from "hono";
import { refusal } from "../services/refusal.ts";
import type { AppEnv } from "./environment.ts";
import { type PublicUrlOptions, reachedUrl } from "./public-url.ts";

/** @throws PortolanError FORBIDDEN when it does not, or does not say */
export function requireSameOrigin(c: Context<AppEnv>, options: PublicUrlOptions): void {
  const site = c.req.header("sec-fetch-site");
  const isOwn = site === undefined ? isOwnOrigin(c, options) : site === "same-origin";
  if (isOwn) return;
  throw refusal(
    "FORBIDDEN",
    "with a session's cookie only the dashboard itself may do this; programs send Authorization: Bearer ptl_op_…",
  );
}

/** Ours is the address that this request reached, and the one that is configured. */
function isOwnOrigin(c: Context<AppEnv>, options: PublicUrlOptions): boolean {
  const origin = c.req.header("origin");
  if (origin === undefined) return false;
  const reached = reachedUrl(c, options);
  const configured = options.publicUrl === undefined ? undefined : new URL(options.publicUrl).origin;
  return origin === reached || origin === configured;
}
