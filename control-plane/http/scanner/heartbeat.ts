/** `POST /scanner/heartbeat`: the scanner is alive. */

import { createRoute } from "@hono/zod-openapi";
import { heartbeatRequestSchema, heartbeatResponseSchema } from "#shared/protocol/scanner.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { errorAnswers, jsonBody, jsonContent, SCANNER_SECURITY } from "../route-parts.ts";
import { requireScanner } from "./scanner-auth.ts";

const heartbeatRoute = createRoute({
  method: "post",
  path: "/heartbeat",
  tags: ["scanner"],
  summary: "Report that the scanner is alive, with inventory and metrics",
  security: SCANNER_SECURITY,
  request: { body: jsonBody(heartbeatRequestSchema) },
  responses: { 200: jsonContent(heartbeatResponseSchema, "Noted"), ...errorAnswers },
});

export function addHeartbeat(app: App, { access, heartbeats }: Services): void {
  app.use("/heartbeat", requireScanner(access, "heartbeat"));
  app.openapi(heartbeatRoute, async (c) => {
    const answer = await heartbeats.accept(c.get("scanner"), c.req.valid("json"), c.get("clientAddress"));
    return c.json(answer, 200);
  });
}
