/**
 * What scripts push into discovery lists: `/discovery/lists/:name/ips`, as they know it, and the same by id under
 * `/api/config/discovery-lists`. Both with an operator's token.
 */

import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import {
  discoveryAddressListSchema,
  discoveryListEnsureSchema,
  discoveryListNameSchema,
  discoveryListViewSchema,
  discoveryPushResponseSchema,
  discoveryPushSchema,
  discoveryRemovalSchema,
  olderThanBodySchema,
  olderThanQuerySchema,
} from "#shared/protocol/discovery.ts";
import { pageQuerySchema } from "#shared/protocol/fields.ts";
import { actorOf } from "../../services/operators.ts";
import { refusal } from "../../services/refusal.ts";
import type { Services } from "../../services/services.ts";
import { isoTime } from "../../services/time.ts";
import type { App } from "../environment.ts";
import {
  errorAnswers,
  idParameter,
  jsonBody,
  jsonContent,
  OPERATOR_SECURITY,
  refuses,
} from "../route-parts.ts";

const common = { tags: ["discovery lists"], security: OPERATOR_SECURITY };
const nameParameter = z.object({ name: discoveryListNameSchema });

const ensureRoute = createRoute({
  ...common,
  ...refuses("LIMIT_REACHED"),
  method: "post",
  path: "/lists",
  summary: "Make the list unless there is one of this name, and assign the scanner to it",
  request: { body: jsonBody(discoveryListEnsureSchema) },
  responses: {
    200: jsonContent(discoveryListViewSchema, "The list that was there"),
    201: jsonContent(discoveryListViewSchema, "The list, made now"),
    ...errorAnswers,
  },
});

/** @param list how the path names the list */
function pushRoutes<const Path extends string, Params extends z.ZodObject>(list: Path, params: Params) {
  return {
    push: createRoute({
      ...common,
      ...refuses("INVALID_TARGET", "LIMIT_REACHED"),
      method: "post",
      path: `${list}/ips` as const,
      summary: "Add addresses, and note of those that are there that they were seen; may be repeated",
      request: { params, body: jsonBody(discoveryPushSchema) },
      responses: { 200: jsonContent(discoveryPushResponseSchema, "What became of them"), ...errorAnswers },
    }),
    remove: createRoute({
      ...common,
      ...refuses("INVALID_TARGET"),
      method: "delete",
      path: `${list}/ips` as const,
      summary: "Take addresses out",
      request: { params, body: jsonBody(discoveryPushSchema) },
      responses: { 200: jsonContent(discoveryRemovalSchema, "How many were there"), ...errorAnswers },
    }),
    prune: createRoute({
      ...common,
      method: "delete",
      path: `${list}/ips/older-than` as const,
      summary: "Take out what was last pushed before `olderThan`, in the query or in the body",
      request: {
        params,
        query: olderThanQuerySchema,
        body: { ...jsonBody(olderThanBodySchema), required: false },
      },
      responses: { 200: jsonContent(discoveryRemovalSchema, "How many there were"), ...errorAnswers },
    }),
    list: createRoute({
      ...common,
      method: "get",
      path: `${list}/ips` as const,
      summary: "The addresses, as they came, and when they were pushed",
      request: { params, query: pageQuerySchema },
      responses: { 200: jsonContent(discoveryAddressListSchema, "A page of addresses"), ...errorAnswers },
    }),
  };
}

const byId = pushRoutes("/config/discovery-lists/{id}", idParameter);
const byName = pushRoutes("/lists/{name}", nameParameter);

/** Under `/api`. */
export function addDiscoveryAddresses(app: App, { discoveryPush }: Services): void {
  app.openapi(byId.push, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await discoveryPush.add(id, c.req.valid("json").ips, actorOf(c.get("operator"))), 200);
  });
  app.openapi(byId.remove, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await discoveryPush.remove(id, c.req.valid("json").ips, actorOf(c.get("operator"))), 200);
  });
  app.openapi(byId.prune, async (c) => {
    const time = olderThan(c.req.valid("query"), c.req.valid("json"));
    const { id } = c.req.valid("param");
    return c.json(await discoveryPush.prune(id, time, actorOf(c.get("operator"))), 200);
  });
  app.openapi(byId.list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    return c.json(addressPage(await discoveryPush.list(c.req.valid("param").id, limit, cursor)), 200);
  });
}

/** Under `/discovery`. */
export function addDiscoveryPush(app: App, { discoveryLists, discoveryPush }: Services): void {
  app.openapi(ensureRoute, async (c) => {
    const { list, isNew } = await discoveryLists.ensure(c.req.valid("json"), actorOf(c.get("operator")));
    return isNew ? c.json(list, 201) : c.json(list, 200);
  });
  app.openapi(byName.push, async (c) => {
    const { name } = c.req.valid("param");
    return c.json(await discoveryPush.add(name, c.req.valid("json").ips, actorOf(c.get("operator"))), 200);
  });
  app.openapi(byName.remove, async (c) => {
    const { name } = c.req.valid("param");
    return c.json(await discoveryPush.remove(name, c.req.valid("json").ips, actorOf(c.get("operator"))), 200);
  });
  app.openapi(byName.prune, async (c) => {
    const time = olderThan(c.req.valid("query"), c.req.valid("json"));
    const { name } = c.req.valid("param");
    return c.json(await discoveryPush.prune(name, time, actorOf(c.get("operator"))), 200);
  });
  app.openapi(byName.list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    return c.json(addressPage(await discoveryPush.list(c.req.valid("param").name, limit, cursor)), 200);
  });
}

type AddressPage = Awaited<ReturnType<Services["discoveryPush"]["list"]>>;

function addressPage({ rows, nextCursor }: AddressPage): z.infer<typeof discoveryAddressListSchema> {
  const ips = rows.map((row) => ({
    ip: row.address,
    firstSeenAt: isoTime(row.first_seen),
    lastSeenAt: isoTime(row.last_seen),
  }));
  return { ips, nextCursor };
}

interface OlderThan {
  readonly olderThan?: string | undefined;
}

function olderThan(query: OlderThan, body: OlderThan): string {
  const time = query.olderThan ?? body.olderThan;
  if (time !== undefined) return time;
  throw refusal("INVALID_REQUEST", "olderThan: the time is missing; give it in the query or in the body", {
    field: "olderThan",
  });
}
