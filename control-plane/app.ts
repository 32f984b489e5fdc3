/** The HTTP app: every route, and what happens to every request. Opens no sockets: give it requests. */

import type { MiddlewareHandler } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { secureHeaders } from "hono/secure-headers";
import type { Clock } from "#shared/clock.ts";
import type { Log } from "#shared/log.ts";
import { MIN_WIRE_VERSION } from "#shared/protocol/version.ts";
import { addAudit } from "./http/api/audit.ts";
import { addCatalogue } from "./http/api/catalogue.ts";
import { addDiscoveryPush } from "./http/api/discovery-push.ts";
import { addJobAdministration } from "./http/api/jobs.ts";
import { requireOperator } from "./http/api/operator-auth.ts";
import { addEnrolmentTokens } from "./http/api/enrolment-tokens.ts";
import { addScannerAcl } from "./http/api/scanner-acl.ts";
import { addScannerActions } from "./http/api/scanner-actions.ts";
import { addScannerConfig } from "./http/api/scanner-config.ts";
import { addChanges } from "./http/api/changes.ts";
import { addComparisons } from "./http/api/comparisons.ts";
import { addResults } from "./http/api/results.ts";
import { addRetention } from "./http/api/retention.ts";
import { addScanLogs } from "./http/api/scan-logs.ts";
import { addScannerSoftware } from "./http/api/scanner-software.ts";
import { addScanners } from "./http/api/scanners.ts";
import { addScans } from "./http/api/scans.ts";
import { addSchedules } from "./http/api/schedules.ts";
import { addSession } from "./http/api/session.ts";
import { addSettings } from "./http/api/settings.ts";
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
import { addScannerAuth, addScannerKeys } from "./http/scanner/keys.ts";
import { addLegacyResults } from "./http/scanner/legacy-results.ts";
import { addRegister } from "./http/scanner/register.ts";
import { checkWireVersion, tellWireVersion } from "./http/scanner/wire-version.ts";
import { requireStorableText } from "./http/storable-text.ts";
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
  // Before anything that may refuse the call.
  app.use("/scanner/*", tellWireVersion);
  app.use(limitBody);

  addHealth(app, services);
  app.route("/scanner", scannerApi(deps));
  app.route("/api/scanner", olderScannerApi(services));
  app.route("/api", operatorApi(deps));
  app.route("/discovery", discoveryApi(deps));
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
  router.use(checkWireVersion(services.access, minWireVersion));
  addInstall(router, services, url);
  addBinary(router, services, binaries);
  addRegister(router, services);
  addHeartbeat(router, services);
  addScannerKeys(router, services);
  addScannerAuth(router, services);
  addJobs(router, services);
  addLegacyResults(router, services);
  return router;
}

/** What scanners of Open Port Monitor call; operators have nothing below this path. */
function olderScannerApi(services: Services): App {
  const router = createRouter();
  addScannerAuth(router, services);
  // Or the call would go on to the operators' routes, and be asked for their credential.
  router.all("*", (c) => c.notFound());
  return router;
}

/** What operators call, in person or by program. */
function operatorApi({ services, binaries, url }: AppDeps): App {
  const router = createRouter();
  // Before the credential is asked for: here it is handed out.
  addSession(router, services, url);
  router.use(requireOperator(services, url), requireStorableText);
  addScanners(router, services);
  addScannerSoftware(router, services, binaries, url);
  addScannerConfig(router, services, url);
  addScannerActions(router, services, url);
  addScannerAcl(router, services, url);
  addEnrolmentTokens(router, services, url);
  addSettings(router, services);
  addCatalogue(router, services);
  addScans(router, services);
  addJobAdministration(router, services);
  addSchedules(router, services);
  addScanLogs(router, services);
  addResults(router, services);
  addChanges(router, services);
  addComparisons(router, services);
  addRetention(router, services);
  addAudit(router, services);
  addTokens(router, services);
  return router;
}

/** What scripts call that push addresses, with an operator's token. */
function discoveryApi({ services, url }: AppDeps): App {
  const router = createRouter();
  router.use(requireOperator(services, url), requireStorableText);
  addDiscoveryPush(router, services);
  return router;
}
