/** `/api/config/schedules`: which template is scanned when. */

import { createRoute } from "@hono/zod-openapi";
import { scanViewSchema } from "#shared/protocol/operator.ts";
import {
  scheduleListSchema,
  schedulePatchSchema,
  scheduleRequestSchema,
  schedulesQuerySchema,
  scheduleViewSchema,
} from "#shared/protocol/schedule.ts";
import { actorOf } from "../../services/operators.ts";
import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import {
  errorAnswers,
  idParameter,
  jsonBody,
  jsonContent,
  OPERATOR_SECURITY,
  refuses,
} from "../route-parts.ts";

const common = { tags: ["schedules"], security: OPERATOR_SECURITY };
const answersSchedule = {
  200: jsonContent(scheduleViewSchema, "The schedule as it is now"),
  ...errorAnswers,
};

const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/config/schedules",
  summary: "Schedules, in the order they were made",
  request: { query: schedulesQuerySchema },
  responses: { 200: jsonContent(scheduleListSchema, "A page of schedules"), ...errorAnswers },
});

const createScheduleRoute = createRoute({
  ...common,
  method: "post",
  path: "/config/schedules",
  summary: "Scan a template again and again",
  ...refuses("CONFLICT", "LIMIT_REACHED"),
  request: { body: jsonBody(scheduleRequestSchema) },
  responses: { 201: jsonContent(scheduleViewSchema, "The schedule"), ...errorAnswers },
});

const getRoute = createRoute({
  ...common,
  method: "get",
  path: "/config/schedules/{id}",
  summary: "One schedule",
  ...refuses("NOT_FOUND"),
  request: { params: idParameter },
  responses: answersSchedule,
});

const replaceRoute = createRoute({
  ...common,
  method: "put",
  path: "/config/schedules/{id}",
  summary: "Replace all of a schedule's settings",
  ...refuses("NOT_FOUND", "CONFLICT"),
  request: { params: idParameter, body: jsonBody(scheduleRequestSchema) },
  responses: answersSchedule,
});

const patchRoute = createRoute({
  ...common,
  method: "patch",
  path: "/config/schedules/{id}",
  summary: "Change some of a schedule's settings, such as `enabled`",
  ...refuses("NOT_FOUND", "CONFLICT"),
  request: { params: idParameter, body: jsonBody(schedulePatchSchema) },
  responses: answersSchedule,
});

const deleteRoute = createRoute({
  ...common,
  method: "delete",
  path: "/config/schedules/{id}",
  summary: "Remove a schedule; its scans stay",
  ...refuses("NOT_FOUND"),
  request: { params: idParameter },
  responses: { 204: { description: "Removed" }, ...errorAnswers },
});

const runRoute = createRoute({
  ...common,
  method: "post",
  path: "/config/schedules/{id}/run",
  summary: "Run it now, enabled or not; its times stay as they are",
  ...refuses("NOT_FOUND", "CONFLICT", "TEMPLATE_EMPTY", "SCOPE_TOO_LARGE", "INVALID_PORT", "LIMIT_REACHED"),
  request: { params: idParameter },
  responses: { 201: jsonContent(scanViewSchema, "The scan"), ...errorAnswers },
});

export function addSchedules(app: App, { schedules, scheduleRunner, scans }: Services): void {
  app.openapi(listRoute, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid("query");
    const { rows, nextCursor } = await schedules.list(filter, limit, cursor);
    return c.json({ schedules: [...rows], nextCursor }, 200);
  });
  app.openapi(createScheduleRoute, async (c) =>
    c.json(await schedules.create(c.req.valid("json"), actorOf(c.get("operator"))), 201),
  );
  app.openapi(getRoute, async (c) => c.json(await schedules.get(c.req.valid("param").id), 200));
  app.openapi(replaceRoute, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await schedules.replace(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(patchRoute, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await schedules.patch(id, c.req.valid("json"), actorOf(c.get("operator"))), 200);
  });
  app.openapi(deleteRoute, async (c) => {
    await schedules.delete(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.body(null, 204);
  });
  app.openapi(runRoute, async (c) => {
    const scanId = await scheduleRunner.runNow(c.req.valid("param").id, actorOf(c.get("operator")));
    return c.json(await scans.get(scanId), 201);
  });
}
