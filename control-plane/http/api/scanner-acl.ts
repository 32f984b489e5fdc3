/** `GET /api/admin/scanner-acl`: from where scanners call, for firewalls. */

import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { aclQuerySchema, cloudflareItemsSchema, scannerAclSchema } from "#shared/protocol/scanner-acl.ts";
import { cloudflareItems, formatAcl } from "../../services/scanner-acl.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { publicUrl, type PublicUrlOptions } from "../public-url.ts";
import { errorAnswers, OPERATOR_SECURITY } from "../route-parts.ts";

const aclRoute = createRoute({
  method: "get",
  path: "/admin/scanner-acl",
  tags: ["scanners"],
  summary: "The addresses that scanners are bound to, as JSON or as firewall rules",
  security: OPERATOR_SECURITY,
  request: { query: aclQuerySchema },
  responses: {
    200: {
      description:
        "JSON for `json`; the items of an IP list for `cloudflare`; text for `nginx` and `iptables`",
      content: {
        "application/json": { schema: z.union([scannerAclSchema, cloudflareItemsSchema]) },
        "text/plain": { schema: z.string() },
      },
    },
    ...errorAnswers,
  },
});

export function addScannerAcl(
  app: App,
  { scannerAcls, settings }: Services,
  urlOptions: PublicUrlOptions,
): void {
  app.openapi(aclRoute, async (c) => {
    const { format } = c.req.valid("query");
    const acl = await scannerAcls.read();
    if (format === "json") return c.json(acl, 200);
    if (format === "cloudflare") return c.json(cloudflareItems(acl), 200);
    const port = portOf(await publicUrl(c, urlOptions, settings));
    return c.text(formatAcl(acl, format, port), 200);
  });
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}
