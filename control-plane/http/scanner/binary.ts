/** `GET /scanner/binary/:platform/:arch`: the agent, with its digest and signature. */

import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import type { AgentBinaries } from "../../services/agent-binaries.ts";
import type { Services } from "../../services/services.ts";
import { provisioningToken, scannerCredential } from "../credentials.ts";
import type { App } from "../environment.ts";
import { fileAnswer, fileHeaders } from "../file-answer.ts";
import { errorAnswers, PROVISIONING_SECURITY, refuses, SCANNER_SECURITY } from "../route-parts.ts";

const binaryRoute = createRoute({
  method: "get",
  path: "/binary/{platform}/{arch}",
  tags: ["scanner"],
  summary: "The agent for a platform; 501 when it is not here, with the build command",
  ...refuses("UNKNOWN_PLATFORM", "BINARY_NOT_BUILT"),
  security: [...PROVISIONING_SECURITY, ...SCANNER_SECURITY],
  request: { params: z.object({ platform: z.string().max(32), arch: z.string().max(32) }) },
  responses: {
    200: {
      description: "The file",
      headers: fileHeaders,
      content: { "application/octet-stream": { schema: z.string() } },
    },
    ...errorAnswers,
  },
});

export function addBinary(app: App, { access, provisioning }: Services, binaries: AgentBinaries): void {
  app.openapi(binaryRoute, async (c) => {
    const credential = scannerCredential(c);
    const address = c.get("clientAddress");
    if (credential === undefined) await provisioning.check(provisioningToken(c), address);
    else await access.admit(credential, address, "download");
    const { platform, arch } = c.req.valid("param");
    return fileAnswer(await binaries.find(platform, arch), "application/octet-stream");
  });
}
