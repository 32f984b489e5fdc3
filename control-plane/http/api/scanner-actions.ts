/** `POST /api/config/scanners/:id/…`: what can be done to a scanner with one word. */

import { createRoute } from "@hono/zod-openapi";
import {
  scannerCreateResponseSchema,
  type ScannerView,
  scannerViewSchema,
} from "#shared/protocol/operator.ts";
import { actorOf } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { publicUrl, type PublicUrlOptions } from "../public-url.ts";
import { errorAnswers, idParameter, jsonContent, OPERATOR_SECURITY } from "../route-parts.ts";
import { provisioned } from "./scanner-config.ts";

const common = {
  tags: ["scanner configuration"],
  security: OPERATOR_SECURITY,
  request: { params: idParameter },
};

type Action = (id: number, actor: string) => Promise<ScannerView>;

function addAction(app: App, path: `/config/scanners/{id}/${string}`, summary: string, action: Action): void {
  const route = createRoute({
    ...common,
    method: "post",
    path,
    summary,
    responses: { 200: jsonContent(scannerViewSchema, "The scanner as it is now"), ...errorAnswers },
  });
  app.openapi(route, async (c) =>
    c.json(await action(c.req.valid("param").id, actorOf(c.get("operator"))), 200),
  );
}

const regenerateRoute = createRoute({
  ...common,
  method: "post",
  path: "/config/scanners/{id}/regenerate-token",
  summary: "A new one-time token; the former one and the API key stop working",
  responses: {
    200: jsonContent(scannerCreateResponseSchema, "The scanner and its one-time token"),
    ...errorAnswers,
  },
});

export function addScannerActions(app: App, { scanners }: Services, urlOptions: PublicUrlOptions): void {
  const path = "/config/scanners/{id}";
  addAction(app, `${path}/release-binding`, "Bind anew at the next contact", (id, actor) =>
    scanners.releaseBinding(id, actor),
  );
  addAction(app, `${path}/disable`, "No new jobs; running ones go on", (id, actor) =>
    scanners.setDisabled(id, true, actor),
  );
  addAction(app, `${path}/enable`, "Undo disable", (id, actor) => scanners.setDisabled(id, false, actor));
  app.openapi(regenerateRoute, async (c) => {
    const renewed = await scanners.regenerateToken(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.json(provisioned(renewed, publicUrl(c, urlOptions)), 200);
  });
}
