/** The types of the OpenAPI document, and a walk over its operations. */

import type { App } from "../environment.ts";

export type OpenApiDocument = ReturnType<App["getOpenAPI31Document"]>;
export type PathItem = NonNullable<OpenApiDocument["paths"]>[string];
export type Operation = NonNullable<PathItem["get"]>;
type AnswerOrReference = NonNullable<NonNullable<OpenApiDocument["components"]>["responses"]>[string];
/** One answer of a call: description, headers, content. */
export type Answer = Extract<AnswerOrReference, { description: string }>;

export const METHODS = ["get", "put", "post", "delete", "patch"] as const;

export interface DocumentedCall {
  /** In capitals. */
  readonly method: string;
  /** With its parameters in braces: `/api/scans/{id}`. */
  readonly path: string;
  readonly operation: Operation;
}

/** Every call that the document describes, in its order. */
export function callsOf(document: OpenApiDocument): DocumentedCall[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ method: method.toUpperCase(), path, operation }];
    }),
  );
}

/** What addresses a path with parameters in braces stands for. */
export function patternOf(path: string): RegExp {
  const parts = path.split(/\{\w+\}/).map((literal) => RegExp.escape(literal));
  return new RegExp(`^${parts.join("[^/]+")}$`);
}
