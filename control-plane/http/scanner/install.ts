/** `GET /scanner/install`: the install script, filled in for the host that asks. Does not use the token up. */

import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import script from "../../../install.sh" with { type: "text" };
import { fillInstallScript } from "../../services/install-script.ts";
import type { Services } from "../../services/services.ts";
import { provisioningToken } from "../credentials.ts";
import type { App } from "../environment.ts";
import { publicUrl, type PublicUrlOptions } from "../public-url.ts";
import { errorAnswers, PROVISIONING_SECURITY } from "../route-parts.ts";

const installRoute = createRoute({
  method: "get",
  path: "/install",
  tags: ["scanner"],
  summary: "The install script for the host that this one-time token is for",
  security: PROVISIONING_SECURITY,
  responses: {
    200: { description: "A shell script", content: { "text/plain": { schema: z.string() } } },
    ...errorAnswers,
  },
});

export function addInstall(
  app: App,
  { provisioning, settings }: Services,
  urlOptions: PublicUrlOptions,
): void {
  app.openapi(installRoute, async (c) => {
    const token = provisioningToken(c) ?? "";
    await provisioning.check(token, c.get("clientAddress"));
    return c.text(fillInstallScript(script, await publicUrl(c, urlOptions, settings), token), 200);
  });
}
