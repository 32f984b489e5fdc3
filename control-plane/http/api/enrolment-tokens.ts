/** `/api/config/enrolment-tokens`: group tokens by which hosts make themselves scanners. */

import { createRoute } from "@hono/zod-openapi";
import {
  enrolmentTokenCreateRequestSchema,
  enrolmentTokenCreateResponseSchema,
  enrolmentTokenListSchema,
} from "#shared/protocol/enrolment.ts";
import { installCommand } from "../../services/install-script.ts";
import { actorOf } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { publicUrl, type PublicUrlOptions } from "../public-url.ts";
import {
  errorAnswers,
  idParameter,
  jsonBody,
  jsonContent,
  OPERATOR_SECURITY,
  refuses,
} from "../route-parts.ts";

const common = { tags: ["enrolment"], security: OPERATOR_SECURITY };

const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/config/enrolment-tokens",
  summary: "All enrolment tokens that were not revoked",
  responses: { 200: jsonContent(enrolmentTokenListSchema, "The tokens by name"), ...errorAnswers },
});

const createTokenRoute = createRoute({
  ...common,
  method: "post",
  path: "/config/enrolment-tokens",
  summary: "A token for many hosts; the answer has the one line to run on each",
  ...refuses("CONFLICT", "LIMIT_REACHED"),
  request: { body: jsonBody(enrolmentTokenCreateRequestSchema) },
  responses: {
    201: jsonContent(enrolmentTokenCreateResponseSchema, "The token, shown this once"),
    ...errorAnswers,
  },
});

const revokeRoute = createRoute({
  ...common,
  method: "delete",
  path: "/config/enrolment-tokens/{id}",
  summary: "Revoke a token; the scanners that used it stay",
  request: { params: idParameter },
  responses: { 204: { description: "Revoked" }, ...errorAnswers },
});

export function addEnrolmentTokens(
  app: App,
  { enrolmentTokens, settings }: Services,
  urlOptions: PublicUrlOptions,
): void {
  app.openapi(listRoute, async (c) => c.json({ enrolmentTokens: await enrolmentTokens.list() }, 200));
  app.openapi(createTokenRoute, async (c) => {
    const created = await enrolmentTokens.create(c.req.valid("json"), actorOf(c.get("operator")));
    const url = await publicUrl(c, urlOptions, settings);
    return c.json({ ...created, installCommand: installCommand(url, created.token) }, 201);
  });
  app.openapi(revokeRoute, async (c) => {
    await enrolmentTokens.revoke(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.body(null, 204);
  });
}
