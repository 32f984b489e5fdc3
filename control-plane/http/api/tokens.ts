/** `/api/tokens`: operators' tokens. */

import { createRoute } from "@hono/zod-openapi";
import type { z } from "zod";
import {
  operatorTokenCreateRequestSchema,
  operatorTokenCreateResponseSchema,
  operatorTokenListSchema,
  type operatorTokenSchema,
} from "#shared/protocol/administration.ts";
import { actorOf, type NewToken } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import { isoTime, isoTimeOrNull } from "../../services/time.ts";
import type { App } from "../environment.ts";
import { errorAnswers, idParameter, jsonBody, jsonContent, OPERATOR_SECURITY } from "../route-parts.ts";

const common = { tags: ["tokens"], security: OPERATOR_SECURITY };

const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/tokens",
  summary: "All tokens, revoked ones too",
  responses: { 200: jsonContent(operatorTokenListSchema, "The tokens"), ...errorAnswers },
});

const createTokenRoute = createRoute({
  ...common,
  method: "post",
  path: "/tokens",
  summary: "A new token, shown this once",
  request: { body: jsonBody(operatorTokenCreateRequestSchema) },
  responses: { 201: jsonContent(operatorTokenCreateResponseSchema, "The token"), ...errorAnswers },
});

const revokeRoute = createRoute({
  ...common,
  method: "delete",
  path: "/tokens/{id}",
  summary: "Revoke a token",
  request: { params: idParameter },
  responses: { 204: { description: "Revoked" }, ...errorAnswers },
});

export function addTokens(app: App, { operators }: Services): void {
  app.openapi(listRoute, async (c) => c.json({ tokens: (await operators.list()).map(tokenView) }, 200));
  app.openapi(createTokenRoute, async (c) => {
    const { name, role } = c.req.valid("json");
    const { token, row } = await operators.create(name, role, actorOf(c.get("operator")));
    return c.json({ token, info: tokenView(row) }, 201);
  });
  app.openapi(revokeRoute, async (c) => {
    await operators.revoke(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.body(null, 204);
  });
}

function tokenView(row: NewToken["row"]): z.infer<typeof operatorTokenSchema> {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    createdBy: row.created_by,
    createdAt: isoTime(row.created_at),
    revokedAt: isoTimeOrNull(row.revoked_at),
    lastUsedAt: isoTimeOrNull(row.last_used_at),
  };
}
