/** `/api/scanners`: scanners as they are doing. */

import { createRoute } from "@hono/zod-openapi";
import { scannerListSchema, scannerViewSchema } from "#shared/protocol/operator.ts";
import { scannerStatsQuerySchema, scannerStatsSchema } from "#shared/protocol/scanner-stats.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { errorAnswers, idParameter, jsonContent, OPERATOR_SECURITY } from "../route-parts.ts";

const listRoute = createRoute({
  method: "get",
  path: "/scanners",
  tags: ["scanners"],
  summary: "Status of all scanners",
  security: OPERATOR_SECURITY,
  responses: { 200: jsonContent(scannerListSchema, "All scanners by name"), ...errorAnswers },
});

const getRoute = createRoute({
  method: "get",
  path: "/scanners/{id}",
  tags: ["scanners"],
  summary: "Status of one scanner",
  security: OPERATOR_SECURITY,
  request: { params: idParameter },
  responses: { 200: jsonContent(scannerViewSchema, "The scanner"), ...errorAnswers },
});

const statsRoute = createRoute({
  method: "get",
  path: "/scanners/{id}/stats",
  tags: ["scanners"],
  summary: "Load, memory and traffic of one scanner over time",
  security: OPERATOR_SECURITY,
  request: { params: idParameter, query: scannerStatsQuerySchema },
  responses: { 200: jsonContent(scannerStatsSchema, "The steps that have heartbeats"), ...errorAnswers },
});

export function addScanners(app: App, { scanners, scannerSeries }: Services): void {
  app.openapi(statsRoute, async (c) =>
    c.json(await scannerSeries.read(c.req.valid("param").id, c.req.valid("query")), 200),
  );
  app.openapi(listRoute, async (c) => c.json({ scanners: await scanners.list() }, 200));
  app.openapi(getRoute, async (c) => c.json(await scanners.get(c.req.valid("param").id), 200));
}
