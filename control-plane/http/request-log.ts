/** One line a request, at DEBUG. Neither headers nor query: credentials travel there. */

import type { MiddlewareHandler } from "hono";
import type { Clock } from "#shared/clock.ts";
import type { Log } from "#shared/log.ts";
import type { AppEnv } from "./environment.ts";

export function logRequests(log: Log, clock: Clock): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const startedMs = clock.monotonicMs();
    await next();
    log.debug("request.answered", `${c.req.method} ${c.req.path} ${c.res.status}`, {
      address: c.get("clientAddress"),
      durationMs: Math.round(clock.monotonicMs() - startedMs),
    });
  };
}
