/** `GET /scanner/binary/:platform/:arch`: the agent, with its digest and signature. */

import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import type { AgentBinaries } from "../../services/agent-binaries.ts";
import type { Services } from "../../services/services.ts";
import { apiKey, provisioningToken } from "../credentials.ts";
import type { App } from "../environment.ts";
import { errorAnswers, PROVISIONING_SECURITY, SCANNER_SECURITY } from "../route-parts.ts";

const binaryRoute = createRoute({
  method: "get",
  path: "/binary/{platform}/{arch}",
  tags: ["scanner"],
  summary: "The agent for a platform; 501 when it is not here, with the build command",
  security: [...PROVISIONING_SECURITY, ...SCANNER_SECURITY],
  request: { params: z.object({ platform: z.string().max(32), arch: z.string().max(32) }) },
  responses: {
    200: {
      description:
        "The file. X-Portolan-SHA256: hexadecimal; X-Portolan-Signature: Ed25519 over the file, base64",
      content: { "application/octet-stream": { schema: z.string() } },
    },
    ...errorAnswers,
  },
});

export function addBinary(app: App, { access, provisioning }: Services, binaries: AgentBinaries): void {
  app.openapi(binaryRoute, async (c) => {
    const key = apiKey(c);
    const address = c.get("clientAddress");
    if (key === undefined) await provisioning.check(provisioningToken(c), address);
    else await access.admit(key, address, "download");

    const { platform, arch } = c.req.valid("param");
    const binary = await binaries.find(platform, arch);
    const headers = new Headers({
      "Content-Type": "application/octet-stream",
      "Content-Length": String(binary.sizeBytes),
      "Content-Disposition": `attachment; filename="${binary.name}"`,
      "X-Portolan-SHA256": binary.sha256,
    });
    if (binary.signature !== undefined) headers.set("X-Portolan-Signature", binary.signature);
    return new Response(Bun.file(binary.path), { headers });
  });
}
