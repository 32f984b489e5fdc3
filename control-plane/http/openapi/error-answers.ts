/**
 * Which errors a call may answer, in place of the `default` that routes declare: one answer for each status, with the
 * codes that it may have. Most follow from what the call takes; a route adds its own with `refuses` (route-parts.ts).
 */

import { ERROR_MEANING, ERROR_STATUS, type ErrorCode } from "#shared/protocol/errors.ts";
import { requiredRole } from "../api/operator-auth.ts";
import type { Answer, DocumentedCall, OpenApiDocument, Operation } from "./document.ts";
import { isErrorCode } from "../errors.ts";
import { WIRE_VERSION_ANSWER_HEADER } from "./headers.ts";
import type { SecurityScheme } from "./security-schemes.ts";

type Headers = Answer["headers"];

/** What goes wrong with each way to authenticate. */
const OF_SCHEME: Readonly<Record<SecurityScheme, readonly ErrorCode[]>> = {
  operatorToken: ["UNAUTHENTICATED", "RATE_LIMITED"],
  operatorSession: [],
  scannerKey: [
    "INVALID_API_KEY",
    "SCANNER_DISABLED",
    "SCANNER_NOT_APPROVED",
    "IP_BINDING_VIOLATION",
    "RATE_LIMITED",
  ],
  scannerToken: [],
  provisioningToken: ["INVALID_PROVISIONING_TOKEN", "RATE_LIMITED"],
  provisioningHeader: ["INVALID_PROVISIONING_TOKEN", "RATE_LIMITED"],
};

const RETRY_AFTER = {
  "Retry-After": { required: true, description: "Seconds to wait", schema: { type: "integer", minimum: 1 } },
} as const;

const ERROR_HEADERS: Readonly<Record<number, Headers>> = {
  401: { "WWW-Authenticate": { required: true, schema: { type: "string" } } },
  426: {
    Upgrade: {
      required: true,
      description: "The oldest wire version that is served",
      schema: { type: "string" },
    },
  },
  429: RETRY_AFTER,
  503: RETRY_AFTER,
};

/** The codes that the call may answer, in the order of ERROR_STATUS. */
export function errorCodesOf({ method, path, operation }: DocumentedCall): ErrorCode[] {
  const codes = new Set<ErrorCode>(["INTERNAL", "DATABASE_UNAVAILABLE"]);
  const add = (...more: readonly ErrorCode[]) => more.forEach((code) => codes.add(code));

  const schemes = new Set((operation.security ?? []).flatMap((requirement) => Object.keys(requirement)));
  for (const [scheme, ofScheme] of Object.entries(OF_SCHEME)) if (schemes.has(scheme)) add(...ofScheme);
  if (schemes.has("operatorToken") && requiredRole(method, path) !== "viewer") add("FORBIDDEN");

  if (isScannerPath(path)) add("AGENT_OUTDATED", "INVALID_REQUEST");
  if ((operation.parameters ?? []).length > 0) add("INVALID_REQUEST");
  if (path.includes("{")) add("NOT_FOUND");
  if (operation.requestBody !== undefined) add("INVALID_REQUEST", "BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE");
  add(...ownCodes(operation));
  return Object.keys(ERROR_STATUS)
    .filter(isErrorCode)
    .filter((code) => codes.has(code));
}

/** Those that the route `refuses` with. */
function ownCodes(operation: Operation): ErrorCode[] {
  const own: unknown = operation["x-error-codes"];
  return Array.isArray(own) ? own.filter(isErrorCode) : [];
}

export function isScannerPath(path: string): boolean {
  return path.startsWith("/scanner/");
}

/** Writes the errors of every call that has `errorAnswers` into the document, each kind of answer once. */
export function describeErrors(document: OpenApiDocument, calls: readonly DocumentedCall[]): void {
  const shared: Record<string, Answer> = {};
  for (const call of calls) {
    const { path, operation } = call;
    if (operation.responses?.["default"] === undefined) continue;
    const byStatus = Map.groupBy(errorCodesOf(call), (code) => ERROR_STATUS[code]);
    const { default: _, ...answers } = operation.responses;
    for (const [status, codes] of byStatus) {
      const name = `${isScannerPath(path) ? "scanner." : ""}${codes.join(".")}`;
      shared[name] ??= errorAnswer(status, codes, isScannerPath(path));
      answers[status] ??= { $ref: `#/components/responses/${name}` };
    }
    operation.responses = answers;
    delete operation["x-error-codes"];
  }
  document.components = { ...document.components, responses: shared };
}

function errorAnswer(status: number, codes: readonly ErrorCode[], tellsWireVersion: boolean): Answer {
  const headers = { ...ERROR_HEADERS[status], ...(tellsWireVersion ? WIRE_VERSION_ANSWER_HEADER : {}) };
  return {
    description: codes.map((code) => `\`${code}\`: ${ERROR_MEANING[code]}`).join("\n\n"),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    content: {
      "application/json": {
        schema: {
          allOf: [
            { $ref: "#/components/schemas/ErrorBody" },
            {
              type: "object",
              properties: { error: { type: "object", properties: { code: { enum: [...codes] } } } },
            },
          ],
        },
      },
    },
  };
}
