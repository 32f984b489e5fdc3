/** Parts of route definitions, so that each says only what is its own. */

import { z } from "zod";
import { errorBodySchema } from "#shared/protocol/errors.ts";
import { idParameterSchema } from "#shared/protocol/fields.ts";

export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } };
}

export function jsonContent<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** Every route may answer so. Handlers throw instead of returning it. */
export const errorAnswers = {
  default: jsonContent(errorBodySchema, "The error: `code` for programs, `message` for people"),
};

export const idParameter = z.object({ id: idParameterSchema });

/** The names that the OpenAPI document gives to the ways to authenticate. */
export const OPERATOR_SECURITY = [{ operatorToken: [] }, { operatorSession: [] }];
export const SESSION_SECURITY = [{ operatorSession: [] }];
export const SCANNER_SECURITY = [{ scannerKey: [] }];
export const PROVISIONING_SECURITY = [{ provisioningToken: [] }];
