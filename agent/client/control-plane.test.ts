/** Calls against a real HTTP server on loopback: what is sent, what is believed, how each failure looks. */

import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { ERROR_STATUS } from "#shared/protocol/errors.ts";
import { PORTOLAN_VERSION, WIRE_VERSION } from "#shared/protocol/version.ts";
import { ApiError } from "./api-error.ts";
import { ControlPlaneClient } from "./control-plane.ts";

const LEASE = "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5";
const DIRECTIVE = { ok: true, cancel: false, maxProbesPerSecond: 500 } as const;
const HEARTBEAT = { ok: true, serverTime: "2026-01-27T10:30:00.000Z" };

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: unknown;
}

let calls: Call[] = [];
let answer: (call: Call) => Response | Promise<Response> = () => Response.json({});

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const { pathname, search } = new URL(request.url);
    const text = await request.text();
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const call = { method: request.method, path: pathname + search, headers: request.headers, body };
    calls.push(call);
    return answer(call);
  },
});
const address = `http://127.0.0.1:${server.port}`;
const client = new ControlPlaneClient({ server: address, apiKey: "ptl_key_secret", ca: undefined });

beforeEach(() => {
  calls = [];
});

afterAll(() => server.stop(true));

/** What the call was refused with. */
async function failureOf(call: Promise<unknown>): Promise<ApiError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("the call succeeded");
}

describe("a call", () => {
  test("tells who calls and in which version", async () => {
    answer = () => Response.json(HEARTBEAT);
    await client.heartbeat({ hostname: "probe-1" });
    const [call] = calls;
    expect(call).toMatchObject({
      method: "POST",
      path: "/scanner/heartbeat",
      body: { hostname: "probe-1" },
    });
    expect(call?.headers.get("x-api-key")).toBe("ptl_key_secret");
    expect(call?.headers.get("x-portolan-wire")).toBe(String(WIRE_VERSION));
    expect(call?.headers.get("user-agent")).toBe(`portolan-agent/${PORTOLAN_VERSION}`);
    expect(call?.headers.get("content-type")).toBe("application/json");
  });

  test("of somebody who has no key yet sends none", async () => {
    answer = () => Response.json({ scannerId: 1, name: "probe-1", apiKey: "ptl_key_new" });
    const newcomer = new ControlPlaneClient({ server: address, apiKey: undefined, ca: undefined });
    const given = await newcomer.register({ token: "ptl_prov_x", installId: LEASE });
    expect(given.apiKey).toBe("ptl_key_new");
    expect(calls[0]?.headers.has("x-api-key")).toBe(false);
  });

  test("goes to the path of its job", async () => {
    answer = () => Response.json(DIRECTIVE);
    await client.startJob(7, LEASE);
    await client.reportProgress(7, { leaseId: LEASE, progressCount: 1, resultCount: 0 });
    await client.deliverResults(7, { leaseId: LEASE, batch: 1, results: [] });
    await client.deliverLogs(7, { leaseId: LEASE, batch: 1, logs: [] });
    const directive = await client.completeJob(7, { leaseId: LEASE, status: "completed", resultCount: 0 });
    expect(directive).toEqual(DIRECTIVE);
    const job = "/scanner/jobs/7";
    expect(calls.map(({ path }) => path)).toEqual([
      `${job}/start`,
      `${job}/progress`,
      `${job}/results`,
      `${job}/logs`,
      `${job}/complete`,
    ]);
  });

  test("keeps the path of a control plane that is mounted below one", async () => {
    answer = () => Response.json(HEARTBEAT);
    const mounted = new ControlPlaneClient({ server: `${address}/portolan`, apiKey: "k", ca: undefined });
    await mounted.heartbeat({});
    expect(calls[0]?.path).toBe("/portolan/scanner/heartbeat");
  });

  test("for jobs says how many and how long it waits, and ends when told to", async () => {
    answer = () => Response.json({ jobs: [] });
    expect(await client.jobs(50, 3, new AbortController().signal)).toEqual({ jobs: [] });
    expect(calls[0]).toMatchObject({ method: "GET", path: "/scanner/jobs?wait=50&max=3", body: undefined });

    const stop = new AbortController();
    const never = Promise.withResolvers<Response>();
    answer = () => {
      stop.abort();
      return never.promise;
    };
    expect(await failureOf(client.jobs(50, 3, stop.signal))).toMatchObject({ code: "NO_ANSWER", status: 0 });
    never.resolve(Response.json({ jobs: [] }));
  });
});

describe("a refusal", () => {
  test.each(Object.entries(ERROR_STATUS))(
    "%s (%d) arrives with code, status and reason",
    async (code, status) => {
      answer = () => Response.json({ error: { code, message: "because" } }, { status });
      const failure = await failureOf(client.heartbeat({}));
      expect(failure).toMatchObject({
        code,
        status,
        message: "because",
        retryable: status === 429 || status >= 500,
      });
    },
  );

  test("with Retry-After says how long to wait", async () => {
    const error = { code: "DATABASE_UNAVAILABLE", message: "busy" };
    answer = () => Response.json({ error }, { status: 503, headers: { "retry-after": "12" } });
    expect((await failureOf(client.heartbeat({}))).retryAfterMs).toBe(12_000);
  });
});

describe("an answer that is not the control plane's", () => {
  const badAnswers: readonly (readonly [string, () => Response])[] = [
    ["no JSON, as of a sign-in page", () => new Response("<html>Please sign in</html>")],
    ["nothing at all", () => new Response("")],
    ["JSON cut short", () => new Response('{"ok":tr')],
    ["a field missing", () => Response.json({ ok: true })],
    ["a field of another type", () => Response.json({ ...HEARTBEAT, serverTime: 5 })],
    ["null", () => Response.json(null)],
  ];

  test.each(badAnswers)("%s: is no success, and may be better later", async (_name, bad) => {
    answer = bad;
    expect(await failureOf(client.heartbeat({}))).toMatchObject({ code: "BAD_ANSWER", retryable: true });
  });

  test("a redirect is refused: the key does not go where somebody else points", async () => {
    answer = ({ path }) =>
      path === "/elsewhere" ? Response.json(HEARTBEAT) : Response.redirect(`${address}/elsewhere`, 307);
    expect(await failureOf(client.heartbeat({}))).toMatchObject({ status: 0, retryable: true });
    expect(calls.map(({ path }) => path)).toEqual(["/scanner/heartbeat"]);
  });
});

test("a control plane that is not there: no status, worth another try, and named", async () => {
  const gone = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const goneAddress = `http://127.0.0.1:${gone.port}`;
  await gone.stop(true);
  const failure = await failureOf(
    new ControlPlaneClient({ server: goneAddress, apiKey: "k", ca: undefined }).heartbeat({}),
  );
  expect(failure).toMatchObject({ code: "UNREACHABLE", status: 0, retryable: true });
  expect(failure.message).toContain(goneAddress);
});
