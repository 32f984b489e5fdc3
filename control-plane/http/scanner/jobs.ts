/** `GET /scanner/jobs` and the calls about a claimed job. */

import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { z } from "zod";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import {
  jobCompleteRequestSchema,
  jobDirectiveSchema,
  jobLogsRequestSchema,
  jobProgressRequestSchema,
  jobResultsRequestSchema,
  jobsQuerySchema,
  jobsResponseSchema,
  jobStartRequestSchema,
} from "#shared/protocol/job.ts";
import type { JobCall } from "../../services/leased-job.ts";
import type { Services } from "../../services/services.ts";
import type { App, AppEnv } from "../environment.ts";
import { invalidRequest } from "../errors.ts";
import {
  errorAnswers,
  idParameter,
  jsonBody,
  jsonContent,
  refuses,
  SCANNER_SECURITY,
} from "../route-parts.ts";
import { readResultBatch } from "./result-batch.ts";
import { requireScanner } from "./scanner-auth.ts";

const pollRoute = createRoute({
  method: "get",
  path: "/jobs",
  tags: ["scanner"],
  summary: "Claim pending jobs, waiting up to `wait` seconds for the first",
  security: SCANNER_SECURITY,
  request: { query: jobsQuerySchema },
  responses: {
    200: jsonContent(jobsResponseSchema, "Jobs, each under a lease; none when nothing came"),
    ...errorAnswers,
  },
});

function callRoute<Path extends string, Schema extends z.ZodType>(
  path: Path,
  schema: Schema,
  summary: string,
  ...refusals: readonly ErrorCode[]
) {
  return createRoute({
    method: "post",
    path,
    tags: ["scanner"],
    summary,
    ...refuses("JOB_NOT_YOURS", "JOB_ENDED", ...refusals),
    security: SCANNER_SECURITY,
    request: { params: idParameter, body: jsonBody(schema) },
    responses: {
      200: jsonContent(jobDirectiveSchema, "Noted, and what the scanner is to do"),
      ...errorAnswers,
    },
  });
}

const startRoute = callRoute("/jobs/{id}/start", jobStartRequestSchema, "The scanner begins the job");
const progressRoute = callRoute("/jobs/{id}/progress", jobProgressRequestSchema, "How far the job is");
const resultsRoute = callRoute("/jobs/{id}/results", jobResultsRequestSchema, "A numbered batch of results");
const logsRoute = callRoute("/jobs/{id}/logs", jobLogsRequestSchema, "A numbered batch of log lines");
const completeRoute = callRoute(
  "/jobs/{id}/complete",
  jobCompleteRequestSchema,
  "The job has ended",
  "CONFLICT",
);

export function addJobs(app: App, { access, dispatch, jobCalls, jobCompletion }: Services): void {
  app.use("/jobs", requireScanner(access, "poll"));
  app.use("/jobs/:id/*", requireScanner(access, "job"));

  app.openapi(pollRoute, async (c) => {
    const { wait, max } = c.req.valid("query");
    const jobs = await dispatch.poll(c.get("scanner"), { waitSeconds: wait, max, signal: c.req.raw.signal });
    return c.json({ jobs }, 200);
  });
  app.openapi(startRoute, async (c) => {
    const call = jobCall(c, c.req.valid("param").id, c.req.valid("json").leaseId);
    return c.json(await jobCalls.start(call), 200);
  });
  app.openapi(progressRoute, async (c) => {
    const body = c.req.valid("json");
    return c.json(await jobCalls.progress(jobCall(c, c.req.valid("param").id, body.leaseId), body), 200);
  });
  // Not `openapi`: that would check the body by its schema, which takes longer than all the rest of the call.
  app.openAPIRegistry.registerPath(resultsRoute);
  app.post("/jobs/:id/results", async (c) => {
    const { success, data: params, error } = idParameter.safeParse(c.req.param());
    if (!success) throw invalidRequest(error);
    const batch = await readResultBatch(c);
    return c.json(await jobCalls.results(jobCall(c, params.id, batch.leaseId), batch), 200);
  });
  app.openapi(logsRoute, async (c) => {
    const body = c.req.valid("json");
    return c.json(await jobCalls.logs(jobCall(c, c.req.valid("param").id, body.leaseId), body), 200);
  });
  app.openapi(completeRoute, async (c) => {
    const body = c.req.valid("json");
    return c.json(await jobCompletion.complete(jobCall(c, c.req.valid("param").id, body.leaseId), body), 200);
  });
}

function jobCall(c: Context<AppEnv>, jobId: number, leaseId: string): JobCall {
  return { scanner: c.get("scanner"), jobId, leaseId };
}
