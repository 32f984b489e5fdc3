/**
 * Makes every object schema of a document refuse properties that it does not name. The document itself leaves them
 * open, so that a later version may add some; a test that sees one today has found an undeclared field.
 */

import type { OpenApiDocument } from "../http/openapi/document.ts";

/** A copy of the document. */
export function closedDocument(document: OpenApiDocument): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => [key, closeObjects(value, false)]),
  );
}

/** @param isPart of an `allOf`: stays open, as the properties of the other parts are good too */
function closeObjects(value: unknown, isPart: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => closeObjects(item, isPart));
  if (typeof value !== "object" || value === null) return value;
  const copy = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, closeObjects(inner, isPart || key === "allOf")]),
  );
  if (!isPart && "properties" in value && !("additionalProperties" in value))
    return { ...copy, unevaluatedProperties: false };
  return copy;
}
