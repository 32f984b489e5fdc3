/** `/api/audit`: who did what, and whether the record is whole. */

import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import {
  auditListSchema,
  auditQuerySchema,
  auditVerificationSchema,
} from "#shared/protocol/administration.ts";
import type { Services } from "../../services/services.ts";
import { readJson } from "../../services/stored-json.ts";
import type { App } from "../environment.ts";
import { errorAnswers, jsonContent, OPERATOR_SECURITY } from "../route-parts.ts";

const common = { tags: ["audit"], security: OPERATOR_SECURITY };
const detailSchema = z.record(z.string(), z.unknown());

const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/audit",
  summary: "State changes, newest first",
  request: { query: auditQuerySchema },
  responses: { 200: jsonContent(auditListSchema, "A page of the log"), ...errorAnswers },
});

const verifyRoute = createRoute({
  ...common,
  method: "get",
  path: "/audit/verify",
  summary: "Check the hash chain from the first row to the last",
  responses: { 200: jsonContent(auditVerificationSchema, "What was found"), ...errorAnswers },
});

export function addAudit(app: App, { audit }: Services): void {
  app.openapi(listRoute, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { rows, nextCursor } = await audit.list(limit, cursor);
    const entries = rows.map(({ id, at, actor, action, object, detail, hash }) => ({
      id,
      at: new Date(at).toISOString(),
      actor,
      action,
      object,
      detail: readJson(detailSchema, detail),
      hash,
    }));
    return c.json({ entries, nextCursor }, 200);
  });
  app.openapi(verifyRoute, async (c) => c.json(await audit.verify(), 200));
}
