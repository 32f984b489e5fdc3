/** `/api/scans`: starting, following and cancelling scans. */

import { createRoute } from "@hono/zod-openapi";
import { scanLogListSchema, scanProgressSchema } from "#shared/protocol/administration.ts";
import { pageQuerySchema } from "#shared/protocol/fields.ts";
import {
  resultListSchema,
  resultsQuerySchema,
  scanCreateRequestSchema,
  scanListSchema,
  scanViewSchema,
} from "#shared/protocol/operator.ts";
import { actorOf } from "../../services/operators.ts";
import { resultView } from "../../services/scan-view.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { errorAnswers, idParameter, jsonBody, jsonContent, OPERATOR_SECURITY } from "../route-parts.ts";

const common = { tags: ["scans"], security: OPERATOR_SECURITY };

const createScanRoute = createRoute({
  ...common,
  method: "post",
  path: "/scans",
  summary: "Scan these targets from each of these scanners, now",
  request: { body: jsonBody(scanCreateRequestSchema) },
  responses: { 201: jsonContent(scanViewSchema, "The scan"), ...errorAnswers },
});

const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/scans",
  summary: "Scans, newest first",
  request: { query: pageQuerySchema },
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

const resultsRoute = createRoute({
  ...common,
  method: "get",
  path: "/scans/{id}/results",
  summary: "What was found, in the order it was",
  request: { params: idParameter, query: resultsQuerySchema },
  responses: { 200: jsonContent(resultListSchema, "A page of results"), ...errorAnswers },
});

const progressRoute = createRoute({
  ...common,
  method: "get",
  path: "/scans/{id}/progress",
  summary: "How far the scan is",
  request: { params: idParameter },
  responses: { 200: jsonContent(scanProgressSchema, "The progress"), ...errorAnswers },
});

const logsRoute = createRoute({
  ...common,
  method: "get",
  path: "/scans/{id}/logs",
  summary: "What the scanners logged about the scan",
  request: { params: idParameter, query: pageQuerySchema },
  responses: { 200: jsonContent(scanLogListSchema, "A page of log lines"), ...errorAnswers },
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
  app.openapi(listRoute, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { rows, nextCursor } = await scans.list(limit, cursor);
    return c.json({ scans: [...rows], nextCursor }, 200);
  });
  app.openapi(getRoute, async (c) => c.json(await scans.get(c.req.valid("param").id), 200));
  app.openapi(resultsRoute, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid("query");
    const { rows, nextCursor } = await scans.results(c.req.valid("param").id, filter, limit, cursor);
    return c.json({ results: rows.map(resultView), nextCursor }, 200);
  });
  app.openapi(progressRoute, async (c) => c.json(await scans.progress(c.req.valid("param").id), 200));
  app.openapi(logsRoute, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { rows, nextCursor } = await scans.logs(c.req.valid("param").id, limit, cursor);
    const logs = rows.map((row) => ({
      id: row.id,
      jobId: row.job_id,
      scannerId: row.scanner_id,
      timestamp: new Date(row.at).toISOString(),
      level: row.level,
      message: row.message,
    }));
    return c.json({ logs, nextCursor }, 200);
  });
  app.openapi(cancelRoute, async (c) =>
    c.json(await scans.cancel(c.req.valid("param").id, actorOf(c.get("operator"))), 200),
  );
}
