/** Puts right what the generator says of null: a reference that may be null comes out as one that may not. */

import type { OpenApiDocument } from "./document.ts";

/** A copy of the document in which such a reference is `anyOf` it and null. */
export function withNullableReferences(document: OpenApiDocument): OpenApiDocument {
  return JSON.parse(JSON.stringify(document), (_key, value: unknown) => nullableReference(value) ?? value);
}

/** `allOf: [reference, { type: [T, "null"] }]` is what the generator makes, which no null matches. */
function nullableReference(schema: unknown): object | undefined {
  if (typeof schema !== "object" || schema === null || !("allOf" in schema)) return undefined;
  const { allOf, ...others } = schema;
  if (!Array.isArray(allOf) || allOf.length !== 2) return undefined;
  const [reference, condition]: unknown[] = allOf;
  return allowsNull(condition) ? { ...others, anyOf: [reference, { type: "null" }] } : undefined;
}

function allowsNull(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null || !("type" in schema)) return false;
  return Object.keys(schema).length === 1 && Array.isArray(schema.type) && schema.type.includes("null");
}
