/** `/api/scans/:id/results`: what a scan found. */

import { createRoute } from "@hono/zod-openapi";
import { resultListSchema, resultsQuerySchema } from "#shared/protocol/operator.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { errorAnswers, idParameter, jsonContent, OPERATOR_SECURITY } from "../route-parts.ts";

const resultsRoute = createRoute({
  method: "get",
  path: "/scans/{id}/results",
  tags: ["results"],
  summary: "What was found, by vantage point, address, protocol and port",
  security: OPERATOR_SECURITY,
  request: { params: idParameter, query: resultsQuerySchema },
  responses: { 200: jsonContent(resultListSchema, "A page of results"), ...errorAnswers },
});

export function addResults(app: App, { results }: Services): void {
  app.openapi(resultsRoute, async (c) =>
    c.json(await results.list(c.req.valid("param").id, c.req.valid("query")), 200),
  );
}
