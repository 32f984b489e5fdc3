/** `/api/config/settings`: what operators set while the control plane runs. */

import { createRoute } from "@hono/zod-openapi";
import { settingsUpdateRequestSchema, settingsViewSchema } from "#shared/protocol/settings.ts";
import { actorOf } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { errorAnswers, jsonBody, jsonContent, OPERATOR_SECURITY } from "../route-parts.ts";

const common = { tags: ["settings"], security: OPERATOR_SECURITY, path: "/config/settings" };
const answersSettings = {
  200: jsonContent(settingsViewSchema, "What is set, and what holds"),
  ...errorAnswers,
};

const getRoute = createRoute({
  ...common,
  method: "get",
  summary: "The settings; for admins, as the dead man's URL may hold a secret",
  responses: answersSettings,
});

const updateRoute = createRoute({
  ...common,
  method: "put",
  summary: "Change settings; what is absent stays, null removes a setting",
  request: { body: jsonBody(settingsUpdateRequestSchema) },
  responses: answersSettings,
});

export function addSettings(app: App, { settings }: Services): void {
  app.openapi(getRoute, async (c) => c.json(await settings.view(), 200));
  app.openapi(updateRoute, async (c) =>
    c.json(await settings.update(c.req.valid("json"), actorOf(c.get("operator"))), 200),
  );
}
