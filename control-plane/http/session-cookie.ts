/** The cookie of a browser's session. Scripts cannot read it, and pages of other sites do not send it. */

import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { SESSION_TTL_MS } from "#shared/protocol/limits.ts";
import type { AppEnv } from "./environment.ts";
import { type PublicUrlOptions, requestScheme } from "./public-url.ts";

export const SESSION_COOKIE = "portolan_session";

export function sessionId(c: Context<AppEnv>): string | undefined {
  return getCookie(c, SESSION_COOKIE);
}

export function setSessionCookie(c: Context<AppEnv>, options: PublicUrlOptions, id: string): void {
  setCookie(c, SESSION_COOKIE, id, { ...attributes(c, options), maxAge: SESSION_TTL_MS / 1_000 });
}

export function clearSessionCookie(c: Context<AppEnv>, options: PublicUrlOptions): void {
  deleteCookie(c, SESSION_COOKIE, attributes(c, options));
}

/** `Secure` wherever the browser came over TLS; over plain HTTP it would keep no such cookie. */
function attributes(c: Context<AppEnv>, { trustedProxies }: PublicUrlOptions) {
  const secure = requestScheme(c, trustedProxies) === "https";
  return { path: "/", httpOnly: true, sameSite: "Strict", secure } as const;
}
