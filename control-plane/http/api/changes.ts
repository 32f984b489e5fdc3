/** What changed, what is known at present, and the operator's word on a job that is doubted. */

import { createRoute } from "@hono/zod-openapi";
import {
  changeListSchema,
  changesQuerySchema,
  scanChangeListSchema,
  scanChangesQuerySchema,
} from "#shared/protocol/changes.ts";
import { endpointListSchema, endpointsQuerySchema } from "#shared/protocol/endpoints.ts";
import { actorOf } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { errorAnswers, idParameter, jsonContent, OPERATOR_SECURITY, refuses } from "../route-parts.ts";

const common = { tags: ["changes"], security: OPERATOR_SECURITY };

const changesRoute = createRoute({
  ...common,
  method: "get",
  path: "/changes",
  summary: "What changed from one scan to the next, newest first",
  request: { query: changesQuerySchema },
  responses: { 200: jsonContent(changeListSchema, "A page of changes"), ...errorAnswers },
});

const scanChangesRoute = createRoute({
  ...common,
  method: "get",
  path: "/scans/{id}/changes",
  summary: "What changed with this scan, and what of it was not believed",
  request: { params: idParameter, query: scanChangesQuerySchema },
  responses: { 200: jsonContent(scanChangeListSchema, "A page of changes"), ...errorAnswers },
});

const endpointsRoute = createRoute({
  ...common,
  method: "get",
  path: "/endpoints",
  summary: "What is known of each port at present, by vantage point, address, protocol and port",
  request: { query: endpointsQuerySchema },
  responses: { 200: jsonContent(endpointListSchema, "A page of endpoints"), ...errorAnswers },
});

const believeRoute = createRoute({
  ...common,
  method: "post",
  path: "/jobs/{id}/believe",
  summary: "A job that found nothing where ports were open was right: count its ports as closed",
  ...refuses("CONFLICT"),
  request: { params: idParameter },
  responses: { 204: { description: "It counts" }, ...errorAnswers },
});

export function addChanges(app: App, { changeList, stateChanges }: Services): void {
  app.openapi(believeRoute, async (c) => {
    await stateChanges.believe(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.body(null, 204);
  });
  app.openapi(changesRoute, async (c) => c.json(await changeList.list(c.req.valid("query")), 200));
  app.openapi(scanChangesRoute, async (c) =>
    c.json(await changeList.ofScan(c.req.valid("param").id, c.req.valid("query")), 200),
  );
  app.openapi(endpointsRoute, async (c) => c.json(await changeList.endpoints(c.req.valid("query")), 200));
}
