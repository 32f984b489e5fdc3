/** `/api/config/scanner-groups`: scanners that look at the same targets. */

import {
  scannerGroupListSchema,
  scannerGroupPatchSchema,
  scannerGroupRequestSchema,
  scannerGroupViewSchema,
} from "#shared/protocol/scanner-groups.ts";
import { actorOf } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { crudRoutes } from "./crud-routes.ts";

const routes = crudRoutes({
  path: "/config/scanner-groups",
  tag: "scanner groups",
  one: "scanner group",
  many: "scanner groups",
  request: scannerGroupRequestSchema,
  patch: scannerGroupPatchSchema,
  view: scannerGroupViewSchema,
  list: scannerGroupListSchema,
  refusals: [],
});

export function addScannerGroups(app: App, { scannerGroups }: Services): void {
  app.openapi(routes.list, async (c) => {
    const { rows, nextCursor } = await scannerGroups.list(c.req.valid("query"));
    return c.json({ scannerGroups: [...rows], nextCursor }, 200);
  });
  app.openapi(routes.create, async (c) =>
    c.json(await scannerGroups.create(c.req.valid("json"), actorOf(c.get("operator"))), 201),
  );
  app.openapi(routes.get, async (c) => c.json(await scannerGroups.get(c.req.valid("param").id), 200));
  app.openapi(routes.replace, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await scannerGroups.replace(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(routes.patch, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await scannerGroups.patch(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(routes.remove, async (c) => {
    await scannerGroups.delete(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.body(null, 204);
  });
}
