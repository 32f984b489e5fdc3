/** `/api/config/port-lists`: which ports to scan, and how fast they may be asked. */

import {
  portListListSchema,
  portListPatchSchema,
  portListRequestSchema,
  portListViewSchema,
} from "#shared/protocol/port-lists.ts";
import { actorOf } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { crudRoutes } from "./crud-routes.ts";

const routes = crudRoutes({
  path: "/config/port-lists",
  tag: "port lists",
  one: "port list",
  many: "port lists",
  request: portListRequestSchema,
  patch: portListPatchSchema,
  view: portListViewSchema,
  list: portListListSchema,
  refusals: ["INVALID_PORT"],
});

export function addPortLists(app: App, { portLists }: Services): void {
  app.openapi(routes.list, async (c) => {
    const { rows, nextCursor } = await portLists.list(c.req.valid("query"));
    return c.json({ portLists: [...rows], nextCursor }, 200);
  });
  app.openapi(routes.create, async (c) =>
    c.json(await portLists.create(c.req.valid("json"), actorOf(c.get("operator"))), 201),
  );
  app.openapi(routes.get, async (c) => c.json(await portLists.get(c.req.valid("param").id), 200));
  app.openapi(routes.replace, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await portLists.replace(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(routes.patch, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await portLists.patch(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(routes.remove, async (c) => {
    await portLists.delete(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.body(null, 204);
  });
}
