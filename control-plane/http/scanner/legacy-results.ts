/** `POST /scanner/results`: results by scan, from scanners of the older protocol. */

import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { legacyResultsRequestSchema } from "#shared/protocol/legacy.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { errorAnswers, jsonBody, jsonContent, refuses, SCANNER_SECURITY } from "../route-parts.ts";
import { requireScanner } from "./scanner-auth.ts";

const legacyResultsRoute = createRoute({
  method: "post",
  path: "/results",
  tags: ["scanner"],
  summary: "Results of a scan, without lease and batch number",
  ...refuses("NOT_FOUND", "JOB_NOT_YOURS", "JOB_ENDED"),
  security: SCANNER_SECURITY,
  request: { body: jsonBody(legacyResultsRequestSchema) },
  responses: { 200: jsonContent(z.object({ ok: z.literal(true) }), "Merged"), ...errorAnswers },
});

export function addLegacyResults(app: App, { access, legacyResults }: Services): void {
  app.use("/results", requireScanner(access, "job"));
  app.openapi(legacyResultsRoute, async (c) => {
    await legacyResults.accept(c.get("scanner"), c.req.valid("json"));
    return c.json({ ok: true as const }, 200);
  });
}
