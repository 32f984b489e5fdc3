/** `/api/config/scanners`: adding, changing and removing scanners. */

import { createRoute } from "@hono/zod-openapi";
import {
  bindingUpdateRequestSchema,
  bindingViewSchema,
  scannerUpdateRequestSchema,
} from "#shared/protocol/administration.ts";
import {
  scannerCreateRequestSchema,
  type ScannerCreateResponse,
  scannerCreateResponseSchema,
  scannerListSchema,
  scannerViewSchema,
} from "#shared/protocol/operator.ts";
import { installCommand } from "../../services/install-script.ts";
import { actorOf } from "../../services/operators.ts";
import type { ProvisionedScanner } from "../../services/scanners.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { publicUrl, type PublicUrlOptions } from "../public-url.ts";
import { errorAnswers, idParameter, jsonBody, jsonContent, OPERATOR_SECURITY } from "../route-parts.ts";

const common = { tags: ["scanner configuration"], security: OPERATOR_SECURITY };
const answersScanner = { 200: jsonContent(scannerViewSchema, "The scanner as it is now"), ...errorAnswers };

const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/config/scanners",
  summary: "All scanners",
  responses: { 200: jsonContent(scannerListSchema, "All scanners by name"), ...errorAnswers },
});

const createScannerRoute = createRoute({
  ...common,
  method: "post",
  path: "/config/scanners",
  summary: "Add a scanner; the answer has the one line to run on its host",
  request: { body: jsonBody(scannerCreateRequestSchema) },
  responses: {
    201: jsonContent(scannerCreateResponseSchema, "The scanner and its one-time token"),
    ...errorAnswers,
  },
});

const getRoute = createRoute({
  ...common,
  method: "get",
  path: "/config/scanners/{id}",
  summary: "One scanner",
  request: { params: idParameter },
  responses: answersScanner,
});

const updateRoute = createRoute({
  ...common,
  method: "put",
  path: "/config/scanners/{id}",
  summary: "Change name, description or rate limit",
  request: { params: idParameter, body: jsonBody(scannerUpdateRequestSchema) },
  responses: answersScanner,
});

const bindingRoute = createRoute({
  ...common,
  method: "patch",
  path: "/config/scanners/{id}",
  summary: "Change the binding",
  request: { params: idParameter, body: jsonBody(bindingUpdateRequestSchema) },
  responses: answersScanner,
});

const deleteRoute = createRoute({
  ...common,
  method: "delete",
  path: "/config/scanners/{id}",
  summary: "Remove a scanner: its key stops working, its jobs fail, its results stay",
  request: { params: idParameter },
  responses: { 204: { description: "Removed" }, ...errorAnswers },
});

const getBindingRoute = createRoute({
  ...common,
  method: "get",
  path: "/config/scanners/{id}/binding",
  summary: "From where the scanner may call",
  request: { params: idParameter },
  responses: { 200: jsonContent(bindingViewSchema, "The binding"), ...errorAnswers },
});

export function addScannerConfig(app: App, { scanners }: Services, urlOptions: PublicUrlOptions): void {
  app.openapi(listRoute, async (c) => c.json({ scanners: await scanners.list() }, 200));
  app.openapi(createScannerRoute, async (c) => {
    const created = await scanners.create(c.req.valid("json"), actorOf(c.get("operator")));
    return c.json(provisioned(created, publicUrl(c, urlOptions)), 201);
  });
  app.openapi(getRoute, async (c) => c.json(await scanners.get(c.req.valid("param").id), 200));
  app.openapi(updateRoute, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await scanners.update(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(bindingRoute, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await scanners.setBinding(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(deleteRoute, async (c) => {
    await scanners.delete(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.body(null, 204);
  });
  app.openapi(getBindingRoute, async (c) => {
    const { id, binding, externalIp } = await scanners.get(c.req.valid("param").id);
    return c.json({ scannerId: id, ...binding, lastAddress: externalIp }, 200);
  });
}

/** The answer that shows a one-time token. */
export function provisioned(
  { scanner, provisioning }: ProvisionedScanner,
  serverUrl: string,
): ScannerCreateResponse {
  return {
    scanner,
    provisioning: {
      token: provisioning.token,
      expiresAt: new Date(provisioning.expiresAtMs).toISOString(),
      installCommand: installCommand(serverUrl, provisioning.token),
    },
  };
}
