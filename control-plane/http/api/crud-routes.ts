/** The six routes that every resource of the catalogue has. What a resource is, and its handlers, are elsewhere. */

import { createRoute } from "@hono/zod-openapi";
import type { z } from "zod";
import { catalogueQuerySchema } from "#shared/protocol/catalogue.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import {
  errorAnswers,
  idParameter,
  jsonBody,
  jsonContent,
  OPERATOR_SECURITY,
  refuses,
} from "../route-parts.ts";

interface Resource<
  Path extends string,
  Request extends z.ZodType,
  Patch extends z.ZodType,
  View extends z.ZodType,
  List extends z.ZodType,
> {
  readonly path: Path;
  readonly tag: string;
  /** For summaries: `subnet`, `subnets`. */
  readonly one: string;
  readonly many: string;
  readonly request: Request;
  readonly patch: Patch;
  readonly view: View;
  readonly list: List;
  /** What writing may be refused with, beside INVALID_REQUEST and CONFLICT. */
  readonly refusals: readonly ErrorCode[];
}

export function crudRoutes<
  const Path extends string,
  Request extends z.ZodType,
  Patch extends z.ZodType,
  View extends z.ZodType,
  List extends z.ZodType,
>(resource: Resource<Path, Request, Patch, View, List>) {
  const { path, tag, one, many, request, patch, view, list, refusals } = resource;
  const common = { tags: [tag], security: OPERATOR_SECURITY };
  const writes = refuses("CONFLICT", "LIMIT_REACHED", ...refusals);
  const answersView = { 200: jsonContent(view, `The ${one} as it is now`), ...errorAnswers };
  const onePath = `${path}/{id}` as const;
  return {
    list: createRoute({
      ...common,
      method: "get",
      path,
      summary: `The ${many}, by id; \`q\` is part of the name`,
      request: { query: catalogueQuerySchema },
      responses: { 200: jsonContent(list, `A page of ${many}`), ...errorAnswers },
    }),
    create: createRoute({
      ...common,
      ...writes,
      method: "post",
      path,
      summary: `Add a ${one}`,
      request: { body: jsonBody(request) },
      responses: { 201: jsonContent(view, `The ${one}`), ...errorAnswers },
    }),
    get: createRoute({
      ...common,
      method: "get",
      path: onePath,
      summary: `One ${one}`,
      request: { params: idParameter },
      responses: answersView,
    }),
    replace: createRoute({
      ...common,
      ...writes,
      method: "put",
      path: onePath,
      summary: `Replace a ${one}: what is absent takes its default`,
      request: { params: idParameter, body: jsonBody(request) },
      responses: answersView,
    }),
    patch: createRoute({
      ...common,
      ...writes,
      method: "patch",
      path: onePath,
      summary: `Change a ${one}: what is absent stays as it is`,
      request: { params: idParameter, body: jsonBody(patch) },
      responses: answersView,
    }),
    remove: createRoute({
      ...common,
      ...refuses("IN_USE"),
      method: "delete",
      path: onePath,
      summary: `Remove a ${one}, unless something refers to it`,
      request: { params: idParameter },
      responses: { 204: { description: "Removed" }, ...errorAnswers },
    }),
  };
}
