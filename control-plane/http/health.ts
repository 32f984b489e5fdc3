/** `GET /health`: for load balancers and people; no credential. */

import { createRoute } from "@hono/zod-openapi";
import { healthSchema } from "#shared/protocol/operator.ts";
import type { Services } from "../services/services.ts";
import type { App } from "./environment.ts";
import { jsonContent } from "./route-parts.ts";

const healthRoute = createRoute({
  method: "get",
  path: "/health",
  tags: ["health"],
  summary: "Whether this control plane can do its work",
  responses: {
    200: jsonContent(healthSchema, "It can"),
    503: jsonContent(healthSchema, "It cannot: the database is out of reach"),
  },
});

export function addHealth(app: App, { health }: Services): void {
  app.openapi(healthRoute, async (c) => {
    const report = await health.report();
    return c.json(report, report.status === "ok" ? 200 : 503);
  });
}
