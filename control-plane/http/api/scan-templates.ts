/** `/api/config/scan-templates`: what to scan with what, and how. */

import { createRoute } from "@hono/zod-openapi";
import {
  scanTemplateListSchema,
  scanTemplatePatchSchema,
  scanTemplatePreviewSchema,
  scanTemplateRequestSchema,
  scanTemplateViewSchema,
} from "#shared/protocol/scan-templates.ts";
import { actorOf } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { errorAnswers, idParameter, jsonContent, OPERATOR_SECURITY } from "../route-parts.ts";
import { crudRoutes } from "./crud-routes.ts";

const routes = crudRoutes({
  path: "/config/scan-templates",
  tag: "scan templates",
  one: "scan template",
  many: "scan templates",
  request: scanTemplateRequestSchema,
  patch: scanTemplatePatchSchema,
  view: scanTemplateViewSchema,
  list: scanTemplateListSchema,
  refusals: ["SCOPE_TOO_LARGE"],
});

const previewRoute = createRoute({
  method: "post",
  path: "/config/scan-templates/{id}/preview",
  tags: ["scan templates"],
  summary: "What a run of the template would do now; changes nothing",
  security: OPERATOR_SECURITY,
  request: { params: idParameter },
  responses: { 200: jsonContent(scanTemplatePreviewSchema, "The preview"), ...errorAnswers },
});

export function addScanTemplates(app: App, { scanTemplates }: Services): void {
  app.openapi(routes.list, async (c) => {
    const { rows, nextCursor } = await scanTemplates.list(c.req.valid("query"));
    return c.json({ scanTemplates: [...rows], nextCursor }, 200);
  });
  app.openapi(routes.create, async (c) =>
    c.json(await scanTemplates.create(c.req.valid("json"), actorOf(c.get("operator"))), 201),
  );
  app.openapi(routes.get, async (c) => c.json(await scanTemplates.get(c.req.valid("param").id), 200));
  app.openapi(routes.replace, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await scanTemplates.replace(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(routes.patch, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await scanTemplates.patch(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(routes.remove, async (c) => {
    await scanTemplates.delete(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.body(null, 204);
  });
  app.openapi(previewRoute, async (c) => c.json(await scanTemplates.preview(c.req.valid("param").id), 200));
}
