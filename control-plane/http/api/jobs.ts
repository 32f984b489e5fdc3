/** `/api/jobs`: all jobs, those that are stuck, and their repair. */

import { createRoute } from "@hono/zod-openapi";
import {
  jobFailRequestSchema,
  jobListItemSchema,
  jobListSchema,
  jobReassignRequestSchema,
  jobsListQuerySchema,
  stuckJobListSchema,
  stuckJobsQuerySchema,
} from "#shared/protocol/job-administration.ts";
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

const common = { tags: ["jobs"], security: OPERATOR_SECURITY };
const repair = {
  ...common,
  ...refuses("NOT_FOUND", "JOB_ENDED", "CONFLICT"),
  method: "post" as const,
  responses: { 200: jsonContent(jobListItemSchema, "The job as it is now"), ...errorAnswers },
};

const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/jobs",
  summary: "Jobs, newest first",
  request: { query: jobsListQuerySchema },
  responses: { 200: jsonContent(jobListSchema, "A page of jobs"), ...errorAnswers },
});

const stuckRoute = createRoute({
  ...common,
  method: "get",
  path: "/jobs/stuck",
  summary: "Jobs that do not get on, why, and what can be done about each; oldest first",
  request: { query: stuckJobsQuerySchema },
  responses: { 200: jsonContent(stuckJobListSchema, "A page of stuck jobs"), ...errorAnswers },
});

const redispatchRoute = createRoute({
  ...repair,
  path: "/jobs/{id}/redispatch",
  summary: "Put a stuck job back into the pool",
  request: { params: idParameter },
});

const reassignRoute = createRoute({
  ...repair,
  path: "/jobs/{id}/reassign",
  summary: "Give a stuck job to another scanner of its vantage point",
  request: { params: idParameter, body: jsonBody(jobReassignRequestSchema) },
});

const failRoute = createRoute({
  ...repair,
  path: "/jobs/{id}/fail",
  summary: "End a stuck job as failed; what was found is kept",
  request: { params: idParameter, body: jsonBody(jobFailRequestSchema) },
});

export function addJobAdministration(app: App, { jobRepairs }: Services): void {
  app.openapi(listRoute, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid("query");
    const { rows, nextCursor } = await jobRepairs.list(filter, limit, cursor);
    return c.json({ jobs: [...rows], nextCursor }, 200);
  });
  app.openapi(stuckRoute, async (c) => {
    const { limit, cursor, class: only } = c.req.valid("query");
    const { rows, nextCursor } = await jobRepairs.listStuck(only, limit, cursor);
    return c.json({ jobs: [...rows], nextCursor }, 200);
  });
  app.openapi(redispatchRoute, async (c) =>
    c.json(await jobRepairs.redispatch(c.req.valid("param").id, actorOf(c.get("operator"))), 200),
  );
  app.openapi(reassignRoute, async (c) => {
    const { scannerId } = c.req.valid("json");
    const { id } = c.req.valid("param");
    return c.json(await jobRepairs.reassign(id, scannerId, actorOf(c.get("operator"))), 200);
  });
  app.openapi(failRoute, async (c) => {
    const { reason } = c.req.valid("json");
    return c.json(await jobRepairs.fail(c.req.valid("param").id, reason, actorOf(c.get("operator"))), 200);
  });
}
