/**
 * The relations between the limits. A limit may change; what must hold between them may not.
 * Sizes come from the schemas themselves, so that a new or longer field cannot break a relation unseen.
 */

import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { backoffDelayMs, SCANNER_BACKOFF } from "../backoff.ts";
import { formatPorts, MAX_PORT } from "../net/port-spec.ts";
import {
  jobCompleteRequestSchema,
  jobLogsRequestSchema,
  jobProgressRequestSchema,
  jobSchema,
  jobStartRequestSchema,
} from "./job.ts";
import * as limits from "./limits.ts";
import { scanCreateRequestSchema, scannerCreateRequestSchema } from "./operator.ts";
import { heartbeatRequestSchema, registerRequestSchema } from "./scanner.ts";

/** What of JSON Schema our messages use. Strict, so that a construct this test does not know fails it. */
const nodeSchema = z.strictObject({
  $schema: z.string().optional(),
  additionalProperties: z.literal(false).optional(),
  default: z.unknown().optional(),
  type: z.enum(["string", "integer", "number", "boolean", "array", "object"]),
  format: z.string().optional(),
  pattern: z.string().optional(),
  enum: z.array(z.string()).optional(),
  minLength: z.int().optional(),
  maxLength: z.int().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  minItems: z.int().optional(),
  maxItems: z.int().optional(),
  required: z.array(z.string()).optional(),
  get items() {
    return nodeSchema.optional();
  },
  get properties() {
    return z.record(z.string(), nodeSchema).optional();
  },
});
type Node = z.infer<typeof nodeSchema>;

/** JSON writes a control character as `\u0000`: six bytes for one, the most that any character takes. */
const BYTES_PER_CHARACTER = 6;
const UUID_LENGTH = 36;
const LONGEST_NUMBER = "-1.7976931348623157e+308".length;

/** Bytes of the longest JSON text that the node accepts. Throws where nothing bounds it. */
function maxBytes(node: Node, path: string): number {
  switch (node.type) {
    case "boolean":
      return "false".length;
    case "integer":
    case "number":
      return LONGEST_NUMBER;
    case "string": {
      if (node.enum !== undefined) return Math.max(...node.enum.map((value) => JSON.stringify(value).length));
      if (node.format === "uuid") return UUID_LENGTH + 2;
      if (node.maxLength === undefined) throw new Error(`${path} has no maximum length`);
      return node.maxLength * BYTES_PER_CHARACTER + 2;
    }
    case "array": {
      if (node.maxItems === undefined || node.items === undefined)
        throw new Error(`${path} is an unbounded list`);
      return node.maxItems * (maxBytes(node.items, `${path}[]`) + 1) + 2;
    }
    case "object": {
      if (node.properties === undefined) throw new Error(`${path} is an object of any fields`);
      const fields = Object.entries(node.properties);
      return fields.reduce(
        (sum, [name, value]) => sum + JSON.stringify(name).length + 2 + maxBytes(value, `${path}.${name}`),
        2,
      );
    }
  }
}

function maxBodyBytes(schema: z.ZodType): number {
  return maxBytes(nodeSchema.parse(z.toJSONSchema(schema, { io: "input" })), "body");
}

const AGENT_REQUESTS: readonly (readonly [name: string, schema: z.ZodType, maxBytes: number])[] = [
  ["register", registerRequestSchema, limits.MAX_BODY_BYTES],
  ["heartbeat", heartbeatRequestSchema, limits.MAX_BODY_BYTES],
  ["job start", jobStartRequestSchema, limits.MAX_BODY_BYTES],
  ["job progress", jobProgressRequestSchema, limits.MAX_BODY_BYTES],
  ["job logs", jobLogsRequestSchema, limits.MAX_BODY_BYTES],
  ["job complete", jobCompleteRequestSchema, limits.MAX_BODY_BYTES],
];

describe("bodies", () => {
  // A body over the limit is refused however often it is sent again: an agent could never get rid of it.
  test.each(AGENT_REQUESTS)(
    "every valid %s request fits its limit, whatever its texts hold",
    (_, schema, most) => {
      expect(maxBodyBytes(schema)).toBeLessThanOrEqual(most);
    },
  );

  test.each([
    ["scanner create", scannerCreateRequestSchema],
    ["scan create", scanCreateRequestSchema],
    ["job", jobSchema],
  ] as const)("every text and list of a %s has a maximum", (_, schema) => {
    expect(maxBodyBytes(schema)).toBeFinite();
  });

  test("the bound is a bound: the worst batch of log lines, written out, is within it", () => {
    const line = {
      timestamp: "2026-01-27T10:30:00.000000000Z",
      level: "warning",
      message: "\u0000".repeat(limits.MAX_LOG_MESSAGE_LENGTH),
    };
    const batch = {
      leaseId: crypto.randomUUID(),
      batch: limits.MAX_BATCHES_PER_JOB,
      logs: Array.from({ length: limits.MAX_LOG_LINES_PER_BATCH }, () => line),
    };
    expect(jobLogsRequestSchema.safeParse(batch).success).toBe(true);
    const bytes = Buffer.byteLength(JSON.stringify(batch));
    expect(bytes).toBeLessThanOrEqual(maxBodyBytes(jobLogsRequestSchema));
    expect(bytes).toBeGreaterThan(0.95 * maxBodyBytes(jobLogsRequestSchema));
  });

  test("a text or list without a maximum is noticed", () => {
    expect(() => maxBodyBytes(z.object({ a: z.object({ b: z.string() }) }))).toThrow(
      "body.a.b has no maximum",
    );
    expect(() => maxBodyBytes(z.object({ a: z.array(z.int()) }))).toThrow("body.a is an unbounded list");
  });
});

describe("times", () => {
  test("a scanner is offline after two missed heartbeats", () => {
    expect(limits.OFFLINE_AFTER_MS).toBe(2 * limits.HEARTBEAT_INTERVAL_MS);
  });

  test("progress renews the lease many times over before it can run out", () => {
    expect(limits.PROGRESS_INTERVAL_MS * 10).toBeLessThanOrEqual(limits.JOB_LEASE_MS);
  });

  test("a call that succeeds at its last try still finds its lease standing", () => {
    let waitedMs = limits.PROGRESS_INTERVAL_MS;
    for (let attempt = 1; attempt < SCANNER_BACKOFF.maxAttempts; attempt++) {
      waitedMs += backoffDelayMs(SCANNER_BACKOFF, attempt, 0);
    }
    expect(waitedMs * 2).toBeLessThanOrEqual(limits.JOB_LEASE_MS);
  });

  test("a poll for jobs ends before the next heartbeat is due and well within a lease", () => {
    expect(limits.MAX_POLL_WAIT_SECONDS * 1_000).toBeLessThan(limits.HEARTBEAT_INTERVAL_MS);
    expect(limits.MAX_POLL_WAIT_SECONDS * 2_000).toBeLessThan(limits.JOB_LEASE_MS);
  });
});

describe("sizes", () => {
  test("65,535 single ports fit one port specification", () => {
    const everyPort = Array.from({ length: MAX_PORT }, (_, i) => i + 1).join(",");
    expect(everyPort.length).toBeLessThanOrEqual(limits.MAX_PORT_SPEC_LENGTH);
  });

  test("the longest canonical port specification fits", () => {
    // Every other port of both protocols: nothing joins into a range. Odd ports, for there is one more of them.
    const odd = Array.from({ length: (MAX_PORT + 1) / 2 }, (_, i) => ({ first: 2 * i + 1, last: 2 * i + 1 }));
    expect(formatPorts({ tcp: odd, udp: odd }).length).toBeLessThanOrEqual(limits.MAX_PORT_SPEC_LENGTH);
  });

  test("defaults lie within their maxima", () => {
    expect(limits.DEFAULT_PAGE_SIZE).toBeLessThanOrEqual(limits.MAX_PAGE_SIZE);
    expect(limits.DEFAULT_RETRIES).toBeLessThanOrEqual(limits.MAX_RETRIES);
  });

  test("no limit is zero, negative or broken", () => {
    for (const [name, value] of Object.entries(limits)) {
      expect(Number.isSafeInteger(value) && value > 0, `${name} = ${value}`).toBe(true);
    }
  });
});
