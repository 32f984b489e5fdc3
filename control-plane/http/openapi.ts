/** `GET /openapi.json`: the document, generated from the schemas that check the requests. */

import { API_KEY_HEADER } from "#shared/protocol/scanner.ts";
import { PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import type { App } from "./environment.ts";
import { SESSION_COOKIE } from "./session-cookie.ts";

/** Call it when all routes are there. */
export function addOpenApi(app: App): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "operatorToken", {
    type: "http",
    scheme: "bearer",
    description: "An operator's token, ptl_op_…",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "operatorSession", {
    type: "apiKey",
    in: "cookie",
    name: SESSION_COOKIE,
    description: "A browser's session, from POST /api/session; changes only for pages of the same origin",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "scannerKey", {
    type: "apiKey",
    in: "header",
    name: API_KEY_HEADER,
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "provisioningToken", {
    type: "http",
    scheme: "bearer",
    description: "A one-time token, ptl_prov_…, also in X-Provisioning-Token",
  });
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: { title: "Portolan control plane", version: PORTOLAN_VERSION },
  });
}
