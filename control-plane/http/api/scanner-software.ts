/** `/api/config/scanners/{binary-hash,install-script-preview,source-code,filter-values}`: what is run on hosts, for review. */

import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { binaryHashesSchema, scannerFilterValuesSchema } from "#shared/protocol/scanner-config.ts";
import { PROVISIONING_TOKEN_PREFIX } from "#shared/protocol/scanner.ts";
import { PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import script from "../../../install.sh" with { type: "text" };
import type { AgentBinaries } from "../../services/agent-binaries.ts";
import { fillInstallScript } from "../../services/install-script.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { fileAnswer, fileHeaders } from "../file-answer.ts";
import { publicUrl, type PublicUrlOptions } from "../public-url.ts";
import { errorAnswers, jsonContent, OPERATOR_SECURITY, refuses } from "../route-parts.ts";

/** Where a real script has its token. */
const NO_TOKEN = `${PROVISIONING_TOKEN_PREFIX}…`;

const common = { tags: ["scanner configuration"], security: OPERATOR_SECURITY };

const binaryHashRoute = createRoute({
  ...common,
  method: "get",
  path: "/config/scanners/binary-hash",
  summary: "SHA-256, size and version of the agents that are handed out",
  responses: {
    200: jsonContent(binaryHashesSchema, "One for each machine that there are agents for"),
    ...errorAnswers,
  },
});

const previewRoute = createRoute({
  ...common,
  method: "get",
  path: "/config/scanners/install-script-preview",
  summary: "The install script as hosts get it, without a token",
  responses: {
    200: { description: "A shell script", content: { "text/plain": { schema: z.string() } } },
    ...errorAnswers,
  },
});

const sourceRoute = createRoute({
  ...common,
  method: "get",
  path: "/config/scanners/source-code",
  summary: "The source that the agent is built from; 501 when it is not here, with the command that makes it",
  ...refuses("BINARY_NOT_BUILT"),
  responses: {
    200: {
      description: "A gzipped tar",
      headers: fileHeaders,
      content: { "application/gzip": { schema: z.string() } },
    },
    ...errorAnswers,
  },
});

const filterValuesRoute = createRoute({
  ...common,
  method: "get",
  path: "/config/scanners/filter-values",
  summary: "What scanners can be filtered by",
  responses: { 200: jsonContent(scannerFilterValuesSchema, "The values that occur"), ...errorAnswers },
});

/** Before the routes of single scanners: `{id}` would take these words for ids. */
export function addScannerSoftware(
  app: App,
  { scannerList, settings }: Services,
  binaries: AgentBinaries,
  urlOptions: PublicUrlOptions,
): void {
  app.openapi(binaryHashRoute, async (c) =>
    c.json({ version: PORTOLAN_VERSION, binaries: await binaries.list() }, 200),
  );
  app.openapi(previewRoute, async (c) =>
    c.text(fillInstallScript(script, await publicUrl(c, urlOptions, settings), NO_TOKEN), 200),
  );
  app.openapi(sourceRoute, async () => fileAnswer(await binaries.findSource(), "application/gzip"));
  app.openapi(filterValuesRoute, async (c) => c.json(await scannerList.filterValues(), 200));
}
