/** `/api/scans`: starting, following and cancelling scans. Their logs are in `scan-logs.ts`, their results in `results.ts`. */

import { createRoute } from "@hono/zod-openapi";
import { scanProgressSchema } from "#shared/protocol/administration.ts";
import {
  scanListSchema,
  scanStartRequestSchema,
  scansQuerySchema,
  scanViewSchema,
  templateRunRequestSchema,
} from "#shared/protocol/operator.ts";
import { actorOf } from "../../services/operators.ts";
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

const common = { tags: ["scans"], security: OPERATOR_SECURITY };

const createScanRoute = createRoute({
  ...common,
  method: "post",
  path: "/scans",
  summary: "Scan these targets from each of these scanners, or a template, now",
  ...refuses(
    "INVALID_TARGET",
    "SCOPE_TOO_LARGE",
    "INVALID_PORT",
    "NOT_FOUND",
    "CONFLICT",
    "TEMPLATE_EMPTY",
    "LIMIT_REACHED",
  ),
  request: { body: jsonBody(scanStartRequestSchema) },
  responses: { 201: jsonContent(scanViewSchema, "The scan"), ...errorAnswers },
});

const runTemplateRoute = createRoute({
  ...common,
  method: "post",
  path: "/config/scan-templates/{id}/run",
  summary: "Scan what a template names, now",
  ...refuses("SCOPE_TOO_LARGE", "INVALID_PORT", "NOT_FOUND", "CONFLICT", "TEMPLATE_EMPTY", "LIMIT_REACHED"),
  request: { params: idParameter, body: jsonBody(templateRunRequestSchema) },
  responses: { 201: jsonContent(scanViewSchema, "The scan"), ...errorAnswers },
});

const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/scans",
  summary: "Scans, newest first",
  request: { query: scansQuerySchema },
  responses: { 200: jsonContent(scanListSchema, "A page of scans"), ...errorAnswers },
});

const getRoute = createRoute({
  ...common,
  method: "get",
  path: "/scans/{id}",
  summary: "One scan with its jobs",
  request: { params: idParameter },
  responses: { 200: jsonContent(scanViewSchema, "The scan"), ...errorAnswers },
});

const progressRoute = createRoute({
  ...common,
  method: "get",
  path: "/scans/{id}/progress",
  summary: "How far the scan is",
  request: { params: idParameter },
  responses: { 200: jsonContent(scanProgressSchema, "The progress"), ...errorAnswers },
});

const cancelRoute = createRoute({
  ...common,
  method: "post",
  path: "/scans/{id}/cancel",
  summary: "Stop the scan; what was found is kept",
  request: { params: idParameter },
  responses: { 200: jsonContent(scanViewSchema, "The scan, cancelled or about to be"), ...errorAnswers },
});

export function addScans(app: App, { scans }: Services): void {
  app.openapi(createScanRoute, async (c) =>
    c.json(await scans.create(c.req.valid("json"), actorOf(c.get("operator"))), 201),
  );
  app.openapi(runTemplateRoute, async (c) => {
    const run = { ...c.req.valid("json"), templateId: c.req.valid("param").id };
    return c.json(await scans.create(run, actorOf(c.get("operator"))), 201);
  });
  app.openapi(listRoute, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid("query");
    const { rows, nextCursor } = await scans.list(filter, limit, cursor);
    return c.json({ scans: [...rows], nextCursor }, 200);
  });
  app.openapi(getRoute, async (c) => c.json(await scans.get(c.req.valid("param").id), 200));
  app.openapi(progressRoute, async (c) => c.json(await scans.progress(c.req.valid("param").id), 200));
  app.openapi(cancelRoute, async (c) =>
    c.json(await scans.cancel(c.req.valid("param").id, actorOf(c.get("operator"))), 200),
  );
}
