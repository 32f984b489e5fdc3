/** `GET /openapi.json`: the document, generated from the schemas that check the requests. */

import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import type { App } from "./environment.ts";
import { callsOf, type DocumentedCall, type OpenApiDocument } from "./openapi/document.ts";
import { describeErrors, isScannerPath } from "./openapi/error-answers.ts";
import { WIRE_VERSION_ANSWER_HEADER, WIRE_VERSION_PARAMETER } from "./openapi/headers.ts";
import { withNullableReferences } from "./openapi/nullable-references.ts";
import { nameSchemas } from "./openapi/schema-names.ts";
import { SECURITY_SCHEMES } from "./openapi/security-schemes.ts";
import { jsonContent } from "./route-parts.ts";

const DESCRIPTION = `Agents call \`/scanner\`, operators \`/api\` and \`/discovery\`; a credential of the one is refused by
the other. Bodies are JSON where nothing else is said. Unknown fields of operators' bodies are refused. Every error has
one body, \`ErrorBody\`: programs act on its \`code\`, people read its \`message\`. Any path answers 405 with \`Allow\` to
a method that it does not have.`;

const documentRoute = createRoute({
  method: "get",
  path: "/openapi.json",
  tags: ["health"],
  summary: "This document",
  responses: { 200: jsonContent(z.looseObject({ openapi: z.string() }), "OpenAPI 3.1") },
});

/** Call it when all routes are there. */
export function addOpenApi(app: App): void {
  let json: string | undefined;
  app.openAPIRegistry.registerPath(documentRoute);
  app.get(documentRoute.path, (c) => {
    // It never changes once all routes are there, and takes a while to make.
    json ??= JSON.stringify(createDocument(app));
    return c.body(json, 200, { "Content-Type": "application/json" });
  });
}

/** The document of the app with the routes it has now. */
export function createDocument(app: App): OpenApiDocument {
  nameSchemas();
  const generated = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Portolan control plane",
      version: PORTOLAN_VERSION,
      description: DESCRIPTION,
      license: { name: "MIT" },
    },
    servers: [{ url: "/" }],
  });
  const document = withNullableReferences(generated);
  const calls = callsOf(document);
  describeErrors(document, calls);
  for (const call of calls) {
    call.operation.operationId = operationId(call);
    if (isScannerPath(call.path)) describeWireVersion(call);
  }
  document.components = { ...document.components, securitySchemes: { ...SECURITY_SCHEMES } };
  document.tags = tagsOf(calls);
  return document;
}

/** `getApiScansById`: stable, and unique as method and path are. */
function operationId({ method, path }: DocumentedCall): string {
  const words = path
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => `by-${name}`)
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== "");
  return [method.toLowerCase(), ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join(
    "",
  );
}

/** Errors have it already. */
function describeWireVersion({ operation }: DocumentedCall): void {
  operation.parameters = [...(operation.parameters ?? []), WIRE_VERSION_PARAMETER];
  for (const answer of Object.values(operation.responses ?? {})) {
    if (typeof answer !== "object" || answer === null || !("description" in answer) || "$ref" in answer)
      continue;
    answer.headers = { ...answer.headers, ...WIRE_VERSION_ANSWER_HEADER };
  }
}

function tagsOf(calls: readonly DocumentedCall[]): { name: string }[] {
  return [...new Set(calls.flatMap(({ operation }) => operation.tags ?? []))].map((name) => ({ name }));
}
