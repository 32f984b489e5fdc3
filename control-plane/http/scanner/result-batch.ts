/**
 * Reads the body of a batch of results. The schema alone would take most of the time that such a call takes, so it is
 * asked only where the quick look finds something unusual; what is refused is always refused by the schema.
 */

import { HTTPException } from "hono/http-exception";
import type { Context } from "hono";
import { jobResultsRequestSchema } from "#shared/protocol/job.ts";
import { MAX_RESULTS_PER_BATCH } from "#shared/protocol/limits.ts";
import { observationsOf, readUsualResults, type ResultBatch } from "../../services/observations.ts";
import { invalidRequest } from "../errors.ts";

const headSchema = jobResultsRequestSchema.omit({ results: true });

/** @throws PortolanError INVALID_REQUEST, HTTPException 415 for what is not JSON by its type, 400 by its text */
export async function readResultBatch(c: Context): Promise<ResultBatch> {
  if (!/^application\/json(?:;|$)/i.test(c.req.header("content-type") ?? "")) throw new HTTPException(415);
  const body = await c.req.json<unknown>().catch(() => {
    throw new HTTPException(400);
  });
  return usualBatch(body) ?? checkedBatch(body);
}

function usualBatch(body: unknown): ResultBatch | undefined {
  if (typeof body !== "object" || body === null || !("results" in body)) return undefined;
  const { results, ...rest } = body;
  if (!Array.isArray(results) || results.length === 0 || results.length > MAX_RESULTS_PER_BATCH)
    return undefined;
  const head = headSchema.safeParse(rest);
  const observations = head.success ? readUsualResults(results) : undefined;
  return head.success && observations !== undefined ? { ...head.data, results: observations } : undefined;
}

function checkedBatch(body: unknown): ResultBatch {
  const { success, data, error } = jobResultsRequestSchema.safeParse(body);
  if (!success) throw invalidRequest(error);
  return { ...data, results: observationsOf(data.results) };
}
