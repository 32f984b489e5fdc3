/** Operators' credentials: every call of `/api` needs one, before anything else about the call is looked at. */

import type { MiddlewareHandler } from "hono";
import type { OperatorRole } from "#shared/protocol/administration.ts";
import { requireRole } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import { bearerToken } from "../credentials.ts";
import type { AppEnv } from "../environment.ts";
import type { PublicUrlOptions } from "../public-url.ts";
import { requireSameOrigin } from "../same-origin.ts";
import { sessionId } from "../session-cookie.ts";

/** Looking needs the lowest role, changing a higher one; tokens and the audit log are the admins'. */
export function requiredRole(method: string, path: string): OperatorRole {
  if (/^\/api\/(?:tokens|audit)(?:\/|$)/.test(path)) return "admin";
  return isSafe(method) ? "viewer" : "operator";
}

/** RFC 9110: asks for nothing to change. */
function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

/**
 * A token, or a session's cookie. A browser sends the cookie whoever's page asks, so with it only pages of our own may
 * change anything. The handlers behind this find the operator in the context.
 * Throws UNAUTHENTICATED, FORBIDDEN or RATE_LIMITED.
 */
export function requireOperator(
  { operators, sessions }: Services,
  urlOptions: PublicUrlOptions,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const token = bearerToken(c);
    const session = token === undefined ? sessionId(c) : undefined;
    if (session !== undefined && !isSafe(c.req.method)) requireSameOrigin(c, urlOptions);
    const address = c.get("clientAddress");
    const operator =
      session === undefined
        ? await operators.authenticate(token, address)
        : await sessions.authenticate(session, address);
    requireRole(operator, requiredRole(c.req.method, c.req.path));
    c.set("operator", operator);
    await next();
  };
}
