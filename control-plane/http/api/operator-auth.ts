/** Operators' credentials: every call of `/api` needs one, before anything else about the call is looked at. */

import type { Context, MiddlewareHandler } from "hono";
import type { OperatorRole } from "#shared/protocol/administration.ts";
import { type Operator, requireRole } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import { bearerToken } from "../credentials.ts";
import type { AppEnv } from "../environment.ts";
import type { PublicUrlOptions } from "../public-url.ts";
import { requireSameOrigin } from "../same-origin.ts";
import { sessionId } from "../session-cookie.ts";

/** Looking needs the lowest role, changing a higher one; tokens, settings and the audit log are the admins'. */
export function requiredRole(method: string, path: string): OperatorRole {
  if (/^\/api\/(?:tokens|audit|admin|config\/settings)(?:\/|$)/.test(path)) return "admin";
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
export function requireOperator(services: Services, urlOptions: PublicUrlOptions): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (ownSession(c) !== undefined && !isSafe(c.req.method)) requireSameOrigin(c, urlOptions);
    c.set("operator", await identifyOperator(c, services));
    await next();
  };
}

/**
 * Who calls, and may. Asked again by answers that take long.
 * @throws PortolanError UNAUTHENTICATED, FORBIDDEN or RATE_LIMITED
 */
export async function identifyOperator(
  c: Context<AppEnv>,
  { operators, sessions }: Services,
): Promise<Operator> {
  const session = ownSession(c);
  const address = c.get("clientAddress");
  const operator =
    session === undefined
      ? await operators.authenticate(bearerToken(c), address)
      : await sessions.authenticate(session, address);
  requireRole(operator, requiredRole(c.req.method, c.req.path));
  return operator;
}

/** A browser's. A token comes before it. */
function ownSession(c: Context<AppEnv>): string | undefined {
  return bearerToken(c) === undefined ? sessionId(c) : undefined;
}
