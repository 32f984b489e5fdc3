/** `POST /api/config/scanners/:id/…`: what can be done to a scanner with one word. */

import { createRoute } from "@hono/zod-openapi";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import {
  scannerCreateResponseSchema,
  type ScannerView,
  scannerViewSchema,
} from "#shared/protocol/operator.ts";
import { actorOf } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { publicUrl, type PublicUrlOptions } from "../public-url.ts";
import { errorAnswers, idParameter, jsonContent, OPERATOR_SECURITY, refuses } from "../route-parts.ts";
import { provisioned } from "./scanner-config.ts";

const common = {
  tags: ["scanner configuration"],
  security: OPERATOR_SECURITY,
  request: { params: idParameter },
};

interface Action {
  readonly name: string;
  readonly summary: string;
  /** Error codes of its own. */
  readonly refuses?: readonly ErrorCode[];
  readonly run: (id: number, actor: string) => Promise<ScannerView>;
}

function actionsOn(scanners: Services["scanners"]): readonly Action[] {
  return [
    {
      name: "release-binding",
      summary: "Bind anew at the next contact",
      run: (id, actor) => scanners.releaseBinding(id, actor),
    },
    {
      name: "disable",
      summary: "No new jobs; running ones go on",
      run: (id, actor) => scanners.setDisabled(id, true, actor),
    },
    {
      name: "enable",
      summary: "Undo disable",
      run: (id, actor) => scanners.setDisabled(id, false, actor),
    },
    {
      name: "approve",
      summary: "Let a scanner work that enrolled itself",
      refuses: ["CONFLICT"],
      run: (id, actor) => scanners.setApproved(id, true, actor),
    },
    {
      name: "revoke",
      summary: "Undo approve: heartbeats are taken, and nothing else",
      refuses: ["CONFLICT"],
      run: (id, actor) => scanners.setApproved(id, false, actor),
    },
    {
      name: "rotate-key",
      summary: "Have the agent fetch a new key; the present one works until then",
      refuses: ["CONFLICT"],
      run: (id, actor) => scanners.rotateKey(id, actor),
    },
  ];
}

function addAction(app: App, action: Action): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: `/config/scanners/{id}/${action.name}`,
    summary: action.summary,
    ...refuses(...(action.refuses ?? [])),
    responses: { 200: jsonContent(scannerViewSchema, "The scanner as it is now"), ...errorAnswers },
  });
  app.openapi(route, async (c) =>
    c.json(await action.run(c.req.valid("param").id, actorOf(c.get("operator"))), 200),
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

export function addScannerActions(
  app: App,
  { scanners, settings }: Services,
  urlOptions: PublicUrlOptions,
): void {
  for (const action of actionsOn(scanners)) addAction(app, action);
  app.openapi(regenerateRoute, async (c) => {
    const renewed = await scanners.regenerateToken(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.json(provisioned(renewed, await publicUrl(c, urlOptions, settings)), 200);
  });
}
