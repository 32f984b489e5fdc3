/** A scan next to another, next to what is expected, and as text for other programs. */

import { createRoute, z } from "@hono/zod-openapi";
import {
  diffQuerySchema,
  diffSchema,
  exportQuerySchema,
  verdictListSchema,
  verdictsQuerySchema,
} from "#shared/protocol/comparisons.ts";
import { differencesAsCsv } from "../../services/scan-export.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { errorAnswers, idParameter, jsonContent, OPERATOR_SECURITY, refuses } from "../route-parts.ts";
import { textDownload } from "../text-stream.ts";

const common = { tags: ["results"], security: OPERATOR_SECURITY };
const text = { schema: z.string() };
const downloadHeaders = z.object({
  "Content-Disposition": z.string().optional().openapi({ description: "The file's name, of a download" }),
});

const diffRoute = createRoute({
  ...common,
  method: "get",
  path: "/scans/{id}/diff",
  summary: "How another scan differs from this one; as JSON in pages, as CSV whole",
  ...refuses("CONFLICT"),
  request: { params: idParameter, query: diffQuerySchema },
  responses: {
    200: {
      description: "A page of differences, or all of them as CSV",
      headers: downloadHeaders,
      content: { "application/json": { schema: diffSchema }, "text/csv": text },
    },
    ...errorAnswers,
  },
});

const verdictsRoute = createRoute({
  ...common,
  method: "get",
  path: "/scans/{id}/verdicts",
  summary: "What was found next to what the scan's template expects",
  request: { params: idParameter, query: verdictsQuerySchema },
  responses: { 200: jsonContent(verdictListSchema, "A page of verdicts"), ...errorAnswers },
});

const exportRoute = createRoute({
  ...common,
  method: "get",
  path: "/scans/{id}/export",
  summary: "All results as NDJSON, CSV or nmap's XML",
  request: { params: idParameter, query: exportQuerySchema },
  responses: {
    200: {
      description: "The results",
      headers: downloadHeaders,
      content: { "application/x-ndjson": text, "text/csv": text, "application/xml": text },
    },
    ...errorAnswers,
  },
});

export function addComparisons(app: App, { scanDiff, scanExport, verdicts }: Services): void {
  app.openapi(diffRoute, async (c) => {
    const { id } = c.req.valid("param");
    const query = c.req.valid("query");
    if (query.format === "json") return c.json(await scanDiff.page(id, query), 200);
    return textDownload({
      contentType: "text/csv; charset=utf-8",
      fileName: `scan-${id}-${query.with}.csv`,
      parts: differencesAsCsv(scanDiff.all(id, query)),
    });
  });
  app.openapi(verdictsRoute, async (c) =>
    c.json(await verdicts.list(c.req.valid("param").id, c.req.valid("query")), 200),
  );
  app.openapi(exportRoute, async (c) => {
    const exported = await scanExport.results(c.req.valid("param").id, c.req.valid("query").format);
    return textDownload(exported);
  });
}
