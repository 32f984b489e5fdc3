/** The address under which hosts reach this control plane: as configured, else as this request reached it. */

import type { Context } from "hono";
import type { Network } from "../services/network.ts";
import { refusal } from "../services/refusal.ts";
import type { Settings } from "../services/settings.ts";
import { isTrusted } from "./client-address.ts";
import type { AppEnv } from "./environment.ts";

const HOST = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

export interface PublicUrlOptions {
  /** Without a slash at the end. */
  readonly publicUrl: string | undefined;
  readonly trustedProxies: readonly Network[];
}

/**
 * The setting comes before what was configured at the start, and that before the request.
 * @throws PortolanError INVALID_REQUEST when neither is there and the Host header is no host
 */
export async function publicUrl(
  c: Context<AppEnv>,
  options: PublicUrlOptions,
  settings: Settings,
): Promise<string> {
  const { publicUrl: configured } = await settings.inForce();
  return configured ?? options.publicUrl ?? reachedUrl(c, options);
}

/** As this request reached us. @throws PortolanError INVALID_REQUEST when the Host header is no host */
export function reachedUrl(c: Context<AppEnv>, options: PublicUrlOptions): string {
  const host = c.req.header("host") ?? new URL(c.req.url).host;
  if (!HOST.test(host)) throw refusal("INVALID_REQUEST", "the Host header names no host");
  return `${requestScheme(c, options.trustedProxies)}://${host}`;
}

/** `https` or `http`, as the client sees it: a trusted proxy may have taken the TLS off. */
export function requestScheme(c: Context<AppEnv>, trustedProxies: readonly Network[]): string {
  const forwarded = isTrusted(c.env.peerAddress, trustedProxies)
    ? c.req.header("x-forwarded-proto")
    : undefined;
  if (forwarded === "https" || forwarded === "http") return forwarded;
  return new URL(c.req.url).protocol.slice(0, -1);
}
