/** `/api/networks`: what Open Port Monitor calls networks. */

import {
  networkListSchema,
  networkPatchSchema,
  networkRequestSchema,
  networkViewSchema,
} from "#shared/protocol/networks.ts";
import { actorOf } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { crudRoutes } from "./crud-routes.ts";

const routes = crudRoutes({
  path: "/networks",
  tag: "networks",
  one: "network",
  many: "networks",
  request: networkRequestSchema,
  patch: networkPatchSchema,
  view: networkViewSchema,
  list: networkListSchema,
  refusals: ["INVALID_TARGET", "SCOPE_TOO_LARGE", "INVALID_PORT"],
});

export function addNetworks(app: App, { networks }: Services): void {
  app.openapi(routes.list, async (c) => {
    const { rows, nextCursor } = await networks.list(c.req.valid("query"));
    return c.json({ networks: [...rows], next_cursor: nextCursor }, 200);
  });
  app.openapi(routes.create, async (c) =>
    c.json(await networks.create(c.req.valid("json"), actorOf(c.get("operator"))), 201),
  );
  app.openapi(routes.get, async (c) => c.json(await networks.get(c.req.valid("param").id), 200));
  app.openapi(routes.replace, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await networks.replace(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(routes.patch, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await networks.patch(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(routes.remove, async (c) => {
    await networks.delete(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.body(null, 204);
  });
}
