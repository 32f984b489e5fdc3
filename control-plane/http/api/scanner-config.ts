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
  scannerViewSchema,
} from "#shared/protocol/operator.ts";
import { scannerListQuerySchema, scannerPageSchema } from "#shared/protocol/scanner-config.ts";
import { installCommand } from "../../services/install-script.ts";
import { actorOf } from "../../services/operators.ts";
import type { ProvisionedScanner } from "../../services/scanners.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { publicUrl, type PublicUrlOptions } from "../public-url.ts";
import {
  errorAnswers,
  idParameter,
  jsonBody,
  jsonContent,
  OPERATOR_SECURITY,
  refuses,
} from "../route-parts.ts";

const common = { tags: ["scanner configuration"], security: OPERATOR_SECURITY };
const answersScanner = { 200: jsonContent(scannerViewSchema, "The scanner as it is now"), ...errorAnswers };

const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/config/scanners",
  summary: "All scanners, or a page of those that match",
  request: { query: scannerListQuerySchema },
  responses: { 200: jsonContent(scannerPageSchema, "All by name, or a page by id"), ...errorAnswers },
});

const createScannerRoute = createRoute({
  ...common,
  method: "post",
  path: "/config/scanners",
  summary: "Add a scanner; the answer has the one line to run on its host",
  ...refuses("CONFLICT", "LIMIT_REACHED"),
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
  ...refuses("CONFLICT"),
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
  ...refuses("IN_USE"),
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

export function addScannerConfig(
  app: App,
  { scanners, scannerList, settings }: Services,
  urlOptions: PublicUrlOptions,
): void {
  app.openapi(listRoute, async (c) => c.json(await scannerList.list(c.req.valid("query")), 200));
  app.openapi(createScannerRoute, async (c) => {
    const created = await scanners.create(c.req.valid("json"), actorOf(c.get("operator")));
    return c.json(provisioned(created, await publicUrl(c, urlOptions, settings)), 201);
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
