/** `/api/config/scan-templates/:id/expected`: what a template expects to find. */

import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { idParameterSchema, pageQuerySchema } from "#shared/protocol/fields.ts";
import {
  expectedCountSchema,
  expectedImportQuerySchema,
  expectedResultChangeSchema,
  expectedResultListSchema,
  expectedResultsRequestSchema,
  expectedResultViewSchema,
} from "#shared/protocol/scan-templates.ts";
import { actorOf } from "../../services/operators.ts";
import { refusal } from "../../services/refusal.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import {
  errorAnswers,
  idParameter,
  jsonBody,
  jsonContent,
  OPERATOR_SECURITY,
  refuses,
} from "../route-parts.ts";

const PATH = "/config/scan-templates/{id}/expected";
const CSV = "text/csv";

const common = { tags: ["expected results"], security: OPERATOR_SECURITY };
const writes = refuses("INVALID_TARGET", "LIMIT_REACHED");
const answersCount = { 200: jsonContent(expectedCountSchema, "How many there are now"), ...errorAnswers };
const resultParameters = idParameter.extend({ resultId: idParameterSchema });

const listRoute = createRoute({
  ...common,
  method: "get",
  path: PATH,
  summary: "What the template expects, by id",
  request: { params: idParameter, query: pageQuerySchema },
  responses: { 200: jsonContent(expectedResultListSchema, "A page of them"), ...errorAnswers },
});

const addRoute = createRoute({
  ...common,
  ...writes,
  method: "post",
  path: PATH,
  summary: "Expect these too; the state of a port that is there is changed",
  request: { params: idParameter, body: jsonBody(expectedResultsRequestSchema) },
  responses: answersCount,
});

const replaceRoute = createRoute({
  ...common,
  ...writes,
  method: "put",
  path: PATH,
  summary: "Expect these and nothing else",
  request: { params: idParameter, body: jsonBody(expectedResultsRequestSchema) },
  responses: answersCount,
});

const clearRoute = createRoute({
  ...common,
  method: "delete",
  path: PATH,
  summary: "Expect nothing",
  request: { params: idParameter },
  responses: { 204: { description: "There are none now" }, ...errorAnswers },
});

const importRoute = createRoute({
  ...common,
  ...writes,
  method: "post",
  path: `${PATH}/import`,
  summary: "Expect what a CSV file says: address,protocol,port,state",
  request: {
    params: idParameter,
    query: expectedImportQuerySchema,
    body: { required: true, content: { [CSV]: { schema: z.string() } } },
  },
  responses: answersCount,
});

const changeRoute = createRoute({
  ...common,
  method: "put",
  path: `${PATH}/{resultId}`,
  summary: "Expect another state of this port",
  request: { params: resultParameters, body: jsonBody(expectedResultChangeSchema) },
  responses: { 200: jsonContent(expectedResultViewSchema, "What is expected now"), ...errorAnswers },
});

const deleteRoute = createRoute({
  ...common,
  method: "delete",
  path: `${PATH}/{resultId}`,
  summary: "Expect nothing of this port",
  request: { params: resultParameters },
  responses: { 204: { description: "Removed" }, ...errorAnswers },
});

export function addExpectedResults(app: App, { expectedResults }: Services): void {
  app.openapi(listRoute, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { rows, nextCursor } = await expectedResults.list(c.req.valid("param").id, limit, cursor);
    return c.json({ results: [...rows], nextCursor }, 200);
  });
  app.openapi(addRoute, async (c) => {
    const { results } = c.req.valid("json");
    const { id } = c.req.valid("param");
    const count = await expectedResults.put(id, results, "add", actorOf(c.get("operator")));
    return c.json({ expectedResults: count }, 200);
  });
  app.openapi(replaceRoute, async (c) => {
    const { results } = c.req.valid("json");
    const { id } = c.req.valid("param");
    const count = await expectedResults.put(id, results, "replace", actorOf(c.get("operator")));
    return c.json({ expectedResults: count }, 200);
  });
  app.openapi(clearRoute, async (c) => {
    await expectedResults.deleteAll(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.body(null, 204);
  });
  app.openapi(importRoute, async (c) => {
    const type = c.req.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
    if (type !== CSV) {
      throw refusal("UNSUPPORTED_MEDIA_TYPE", `the body must be CSV, with Content-Type: ${CSV}`);
    }
    const { mode } = c.req.valid("query");
    const { id } = c.req.valid("param");
    const csv = await c.req.text();
    const count = await expectedResults.importCsv(id, csv, mode, actorOf(c.get("operator")));
    return c.json({ expectedResults: count }, 200);
  });
  app.openapi(changeRoute, async (c) => {
    const { id, resultId } = c.req.valid("param");
    const { state } = c.req.valid("json");
    return c.json(await expectedResults.change(id, resultId, state, actorOf(c.get("operator"))), 200);
  });
  app.openapi(deleteRoute, async (c) => {
    const { id, resultId } = c.req.valid("param");
    await expectedResults.delete(id, resultId, actorOf(c.get("operator")));
    return c.body(null, 204);
  });
}
