/** A scan against another scan, and against what its template expects. */

import { z } from "zod";
import { endpointCursorSchema, endpointPageQuerySchema, vantageSchema } from "./endpoints.ts";
import { idParameterSchema, idSchema, portStateSchema, protocolSchema } from "./fields.ts";

/** `GET /api/scans/:id/diff` */
export const diffQuerySchema = endpointPageQuerySchema.extend({
  /** The other scan, usually the later one. */
  with: idParameterSchema,
  /** Which vantage point of this scan, where only one is to be compared. */
  vantage: vantageSchema.optional(),
  /** Which one of the other scan; the same where it is not named. */
  withVantage: vantageSchema.optional(),
  format: z.enum(["json", "csv"]).default("json"),
});
export type DiffQuery = z.infer<typeof diffQuerySchema>;

/**
 * `opened`: open in the other scan only; `closed`: open in this one only; `state_changed`: between other states;
 * `service_changed`: open in both, with another service; `not_covered`: one of them did not look.
 */
export const DIFFERENCE_KINDS = [
  "opened",
  "closed",
  "state_changed",
  "service_changed",
  "not_covered",
] as const;
export const differenceKindSchema = z.enum(DIFFERENCE_KINDS);
export type DifferenceKind = z.infer<typeof differenceKindSchema>;

/** One side of a difference. */
export const observedSchema = z.object({
  /** Null: not reported, which from a scan that looked means that it was in none of the states it reports. */
  state: portStateSchema.nullable(),
  covered: z.boolean(),
  service: z.string().optional(),
  product: z.string().optional(),
  version: z.string().optional(),
});
export type Observed = z.infer<typeof observedSchema>;

export const differenceSchema = z.object({
  vantage: vantageSchema,
  /** The other scan's vantage point. */
  withVantage: vantageSchema,
  address: z.string(),
  protocol: protocolSchema,
  port: z.int(),
  kind: differenceKindSchema,
  /** In this scan. */
  from: observedSchema,
  /** In the other. */
  to: observedSchema,
});
export type Difference = z.infer<typeof differenceSchema>;

/** A page looks at a bounded part of both scans: it may be short, even empty, while more follow. */
export const diffSchema = z.object({
  scanId: idSchema,
  withScanId: idSchema,
  differences: z.array(differenceSchema),
  nextCursor: endpointCursorSchema.nullable(),
});

/**
 * `pass`: as expected; `fail`: otherwise; `unexpected`: open, and nothing is expected of it; `unknown`: the scan did not
 * look, or is not to be believed.
 */
export const verdictSchema = z.enum(["pass", "fail", "unexpected", "unknown"]);
export type Verdict = z.infer<typeof verdictSchema>;

/** `GET /api/scans/:id/verdicts` */
export const verdictsQuerySchema = endpointPageQuerySchema.extend({ verdict: verdictSchema.optional() });
export type VerdictsQuery = z.infer<typeof verdictsQuerySchema>;

export const verdictViewSchema = z.object({
  vantage: vantageSchema,
  address: z.string(),
  protocol: protocolSchema,
  port: z.int(),
  verdict: verdictSchema,
  /** Null where nothing is expected. */
  expected: portStateSchema.nullable(),
  /** Null where the scan reported nothing. */
  observed: portStateSchema.nullable(),
});
export type VerdictView = z.infer<typeof verdictViewSchema>;

export const verdictListSchema = z.object({
  verdicts: z.array(verdictViewSchema),
  nextCursor: endpointCursorSchema.nullable(),
  /** Of the whole scan. All 0 where nothing is expected. */
  counts: z.object({
    pass: z.int().min(0),
    fail: z.int().min(0),
    unexpected: z.int().min(0),
    unknown: z.int().min(0),
  }),
});

/** `GET /api/scans/:id/export` */
export const exportQuerySchema = z.object({ format: z.enum(["ndjson", "csv", "xml"]).default("ndjson") });
export type ExportFormat = z.infer<typeof exportQuerySchema>["format"];
