/** The HTTP app: every route, and what happens to every request. Opens no sockets: give it requests. */

import type { MiddlewareHandler } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { secureHeaders } from "hono/secure-headers";
import type { Clock } from "#shared/clock.ts";
import type { Log } from "#shared/log.ts";
import { MIN_WIRE_VERSION } from "#shared/protocol/version.ts";
import { addAudit } from "./http/api/audit.ts";
import { requireOperator } from "./http/api/operator-auth.ts";
import { addScannerActions } from "./http/api/scanner-actions.ts";
import { addScannerConfig } from "./http/api/scanner-config.ts";
import { addScanners } from "./http/api/scanners.ts";
import { addScans } from "./http/api/scans.ts";
import { addSession } from "./http/api/session.ts";
import { addTokens } from "./http/api/tokens.ts";
import { limitBody } from "./http/body-limit.ts";
import { noteClientAddress } from "./http/client-address.ts";
import { addDashboard, type DashboardFile } from "./http/dashboard.ts";
import { type App, type AppEnv, createRouter } from "./http/environment.ts";
import { errorResponse, notFound } from "./http/errors.ts";
import { addHealth } from "./http/health.ts";
import { addOpenApi } from "./http/openapi.ts";
import type { PublicUrlOptions } from "./http/public-url.ts";
import { logRequests } from "./http/request-log.ts";
import { addBinary } from "./http/scanner/binary.ts";
import { addHeartbeat } from "./http/scanner/heartbeat.ts";
import { addInstall } from "./http/scanner/install.ts";
import { addJobs } from "./http/scanner/jobs.ts";
import { addLegacyResults } from "./http/scanner/legacy-results.ts";
import { addRegister } from "./http/scanner/register.ts";
import { checkWireVersion, tellWireVersion } from "./http/scanner/wire-version.ts";
import type { AgentBinaries } from "./services/agent-binaries.ts";
import { refusal } from "./services/refusal.ts";
import type { Services } from "./services/services.ts";

export interface AppDeps {
  readonly services: Services;
  readonly binaries: AgentBinaries;
  readonly clock: Clock;
  readonly log: Log;
  readonly url: PublicUrlOptions;
  readonly dashboard: readonly DashboardFile[];
  /** The oldest wire version that agents are served in. */
  readonly minWireVersion?: number;
}

export function createApp(deps: AppDeps): App {
  const { services, clock, log, url, dashboard } = deps;
  const app = createRouter();
  app.onError((error, c) => errorResponse(error, log, c.req));
  app.notFound((c) => errorResponse(notFound(c.req.path), log, c.req));

  app.use(noteClientAddress(url.trustedProxies));
  app.use(logRequests(log, clock));
  // Before the headers of the API: the pages bring their own.
  addDashboard(app, dashboard);
  app.use(neverCache);
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      xFrameOptions: "DENY",
      // Whether the whole host is to be https for ever is for whoever runs it to say, at the proxy.
      strictTransportSecurity: false,
    }),
  );
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        const allowed = methods.join(", ");
        const message = `${c.req.method} is not possible at ${c.req.path}, only ${allowed}`;
        const response = errorResponse(refusal("METHOD_NOT_ALLOWED", message), log, c.req);
        response.headers.set("Allow", allowed);
        return response;
      },
    }),
  );
  app.use(limitBody);

  addHealth(app, services);
  app.route("/scanner", scannerApi(deps));
  app.route("/api", operatorApi(services, url));
  addOpenApi(app);
  return app;
}

/** Answers hold states that change, and now and then a secret. */
const neverCache: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  c.res.headers.set("Cache-Control", "no-store");
};

/** What agents call. */
function scannerApi({ services, binaries, url, minWireVersion = MIN_WIRE_VERSION }: AppDeps): App {
  const router = createRouter();
  router.use(tellWireVersion, checkWireVersion(services.access, minWireVersion));
  addInstall(router, services, url);
  addBinary(router, services, binaries);
  addRegister(router, services);
  addHeartbeat(router, services);
  addJobs(router, services);
  addLegacyResults(router, services);
  return router;
}

/** What operators call, in person or by program. */
function operatorApi(services: Services, url: PublicUrlOptions): App {
  const router = createRouter();
  // Before the credential is asked for: here it is handed out.
  addSession(router, services, url);
  router.use(requireOperator(services, url));
  addScanners(router, services);
  addScannerConfig(router, services, url);
  addScannerActions(router, services, url);
  addScans(router, services);
  addAudit(router, services);
  addTokens(router, services);
  return router;
}
