/** `POST /scanner/register`: a host trades its one-time token for an API key. */

import { createRoute } from "@hono/zod-openapi";
import { registerRequestSchema, registerResponseSchema } from "#shared/protocol/scanner.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { errorAnswers, jsonBody, jsonContent, refuses } from "../route-parts.ts";

const registerRoute = createRoute({
  method: "post",
  path: "/register",
  tags: ["scanner"],
  summary: "Trade a one-time token, or an enrolment token, for an API key",
  ...refuses("INVALID_PROVISIONING_TOKEN", "RATE_LIMITED", "LIMIT_REACHED"),
  request: { body: jsonBody(registerRequestSchema) },
  responses: {
    200: jsonContent(registerResponseSchema, "The scanner and its key, shown this once"),
    ...errorAnswers,
  },
});

export function addRegister(app: App, { provisioning }: Services): void {
  app.openapi(registerRoute, async (c) =>
    c.json(await provisioning.register(c.req.valid("json"), c.get("clientAddress")), 200),
  );
}
