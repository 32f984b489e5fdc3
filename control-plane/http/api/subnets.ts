/** `/api/config/subnets`: networks to scan, who scans them, and how fast. */

import { createRoute } from "@hono/zod-openapi";
import {
  subnetBulkRequestSchema,
  subnetBulkResponseSchema,
  subnetListSchema,
  subnetPatchSchema,
  subnetRequestSchema,
  subnetViewSchema,
} from "#shared/protocol/subnets.ts";
import { actorOf } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { errorAnswers, jsonBody, jsonContent, OPERATOR_SECURITY, refuses } from "../route-parts.ts";
import { crudRoutes } from "./crud-routes.ts";

const routes = crudRoutes({
  path: "/config/subnets",
  tag: "subnets",
  one: "subnet",
  many: "subnets",
  request: subnetRequestSchema,
  patch: subnetPatchSchema,
  view: subnetViewSchema,
  list: subnetListSchema,
  refusals: ["INVALID_TARGET", "SCOPE_TOO_LARGE"],
});

const bulkRoute = createRoute({
  method: "post",
  path: "/config/subnets/bulk",
  tags: ["subnets"],
  summary: "Add many subnets: all of them or none",
  security: OPERATOR_SECURITY,
  ...refuses("CONFLICT", "LIMIT_REACHED", "INVALID_TARGET", "SCOPE_TOO_LARGE"),
  request: { body: jsonBody(subnetBulkRequestSchema) },
  responses: { 201: jsonContent(subnetBulkResponseSchema, "How many were added"), ...errorAnswers },
});

export function addSubnets(app: App, { subnets }: Services): void {
  app.openapi(routes.list, async (c) => {
    const { rows, nextCursor } = await subnets.list(c.req.valid("query"));
    return c.json({ subnets: [...rows], nextCursor }, 200);
  });
  app.openapi(routes.create, async (c) =>
    c.json(await subnets.create(c.req.valid("json"), actorOf(c.get("operator"))), 201),
  );
  app.openapi(bulkRoute, async (c) => {
    const { subnets: requests } = c.req.valid("json");
    return c.json({ created: await subnets.createMany(requests, actorOf(c.get("operator"))) }, 201);
  });
  app.openapi(routes.get, async (c) => c.json(await subnets.get(c.req.valid("param").id), 200));
  app.openapi(routes.replace, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await subnets.replace(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(routes.patch, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await subnets.patch(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(routes.remove, async (c) => {
    await subnets.delete(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.body(null, 204);
  });
}
