/** Parts of route definitions, so that each says only what is its own. */

import { z } from "zod";
import { type ErrorCode, errorBodySchema } from "#shared/protocol/errors.ts";
import { idParameterSchema } from "#shared/protocol/fields.ts";

export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } };
}

export function jsonContent<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/**
 * The error answers of a route. Handlers throw instead of returning them. In the document there is one for each
 * status: of the codes that follow from what the route takes (openapi/error-answers.ts), and of those it `refuses` with.
 */
export const errorAnswers = {
  default: jsonContent(errorBodySchema, "The error: `code` for programs, `message` for people"),
};

/** Error codes of the route's own rules, beside those that any route like it may answer. */
export function refuses(...codes: readonly ErrorCode[]) {
  return { "x-error-codes": codes };
}

export const idParameter = z.object({ id: idParameterSchema });

/** The names that the OpenAPI document gives to the ways to authenticate. */
export const OPERATOR_SECURITY = [{ operatorToken: [] }, { operatorSession: [] }];
export const SESSION_SECURITY = [{ operatorSession: [] }];
export const SCANNER_SECURITY = [{ scannerKey: [] }, { scannerToken: [] }];
export const SCANNER_KEY_SECURITY = [{ scannerKey: [] }];
export const PROVISIONING_SECURITY = [{ provisioningToken: [] }, { provisioningHeader: [] }];
