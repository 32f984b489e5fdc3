/** `/api/config/discovery-lists`: lists that scripts push addresses into. */

import {
  discoveryListListSchema,
  discoveryListPatchSchema,
  discoveryListRequestSchema,
  discoveryListViewSchema,
} from "#shared/protocol/discovery.ts";
import { actorOf } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { crudRoutes } from "./crud-routes.ts";

const routes = crudRoutes({
  path: "/config/discovery-lists",
  tag: "discovery lists",
  one: "discovery list",
  many: "discovery lists",
  request: discoveryListRequestSchema,
  patch: discoveryListPatchSchema,
  view: discoveryListViewSchema,
  list: discoveryListListSchema,
  refusals: [],
});

export function addDiscoveryLists(app: App, { discoveryLists }: Services): void {
  app.openapi(routes.list, async (c) => {
    const { rows, nextCursor } = await discoveryLists.list(c.req.valid("query"));
    return c.json({ discoveryLists: [...rows], nextCursor }, 200);
  });
  app.openapi(routes.create, async (c) =>
    c.json(await discoveryLists.create(c.req.valid("json"), actorOf(c.get("operator"))), 201),
  );
  app.openapi(routes.get, async (c) => c.json(await discoveryLists.get(c.req.valid("param").id), 200));
  app.openapi(routes.replace, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await discoveryLists.replace(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(routes.patch, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await discoveryLists.patch(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(routes.remove, async (c) => {
    await discoveryLists.delete(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.body(null, 204);
  });
}
