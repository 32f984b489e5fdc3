/** `POST /scanner/rotate-key` and `POST /scanner/auth`: what a scanner gets for its key. */

import { createRoute } from "@hono/zod-openapi";
import {
  rotateKeyResponseSchema,
  scannerAuthRequestSchema,
  scannerAuthResponseSchema,
} from "#shared/protocol/scanner.ts";
import type { Services } from "../../services/services.ts";
import { scannerCredential } from "../credentials.ts";
import type { App } from "../environment.ts";
import { errorAnswers, jsonContent, refuses, SCANNER_SECURITY } from "../route-parts.ts";
import { requireScanner } from "./scanner-auth.ts";

const rotateRoute = createRoute({
  method: "post",
  path: "/rotate-key",
  tags: ["scanner"],
  summary:
    "A new key, once a heartbeat's answer asked for it; the present one works until the new one is used",
  ...refuses("CONFLICT"),
  security: SCANNER_SECURITY,
  responses: { 200: jsonContent(rotateKeyResponseSchema, "The new key, shown this once"), ...errorAnswers },
});

const authRoute = createRoute({
  method: "post",
  path: "/auth",
  tags: ["scanner"],
  summary: "A token that stands for the key for 15 minutes, for Authorization: Bearer",
  security: SCANNER_SECURITY,
  request: { body: { content: { "application/json": { schema: scannerAuthRequestSchema } } } },
  responses: { 200: jsonContent(scannerAuthResponseSchema, "The token"), ...errorAnswers },
});

export function addScannerKeys(app: App, { access, scannerKeys }: Services): void {
  app.use("/rotate-key", requireScanner(access, "rotate"));
  app.openapi(rotateRoute, async (c) => c.json(await scannerKeys.rotate(c.get("scanner")), 200));
}

/** Also for the older path, `/api/scanner/auth`. */
export function addScannerAuth(app: App, { scannerKeys }: Services): void {
  app.use("/auth", async (c, next) => {
    c.set("scanner", await scannerKeys.admitForToken(scannerCredential(c), c.get("clientAddress")));
    await next();
  });
  app.openapi(authRoute, async (c) => c.json(await scannerKeys.issueToken(c.get("scanner")), 200));
}
