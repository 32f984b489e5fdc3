/** `/api/config/retention`: how long what was found, and how scanners fared, is kept. */

import { createRoute } from "@hono/zod-openapi";
import { retentionSchema, retentionUpdateRequestSchema } from "#shared/protocol/retention.ts";
import { actorOf } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { errorAnswers, jsonBody, jsonContent, OPERATOR_SECURITY } from "../route-parts.ts";

const common = { tags: ["settings"], security: OPERATOR_SECURITY, path: "/config/retention" };

const getRoute = createRoute({
  ...common,
  method: "get",
  summary: "How many days results, logs, changes and metrics are kept; null is for ever",
  responses: { 200: jsonContent(retentionSchema, "The setting"), ...errorAnswers },
});

const putRoute = createRoute({
  ...common,
  method: "put",
  summary: "Keep results, logs, changes and metrics for this many days; null is for ever",
  request: { body: jsonBody(retentionUpdateRequestSchema) },
  responses: { 200: jsonContent(retentionSchema, "The setting as it is now"), ...errorAnswers },
});

export function addRetention(app: App, { retentionRules }: Services): void {
  app.openapi(getRoute, async (c) => c.json(await retentionRules.view(), 200));
  app.openapi(putRoute, async (c) =>
    c.json(await retentionRules.update(c.req.valid("json"), actorOf(c.get("operator"))), 200),
  );
}
