/** Delivery to a control plane that fails in every way it can: each batch counts once, in order, and nothing is lost. */

import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import type { Clock } from "#shared/clock.ts";
import { Log, type LogEntry } from "#shared/log.ts";
import {
  type JobCompleteRequest,
  jobCompleteRequestSchema,
  type JobDirective,
  jobResultsRequestSchema,
  type PortResult,
} from "#shared/protocol/job.ts";
import { ControlPlaneClient } from "../client/control-plane.ts";
import { Spool } from "../spool/spool.ts";
import { Bell } from "./bell.ts";
import { Uploader } from "./uploader.ts";

const LEASE = "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5";

/**
 * What happens to one call. `lost`: taken, then the connection is cut before the answer; `torn`: in the middle of it.
 * `unheard`: the connection is cut before anything was taken.
 */
type Fault = "lost" | "torn" | "unheard" | 400 | 401 | 403 | 409 | 429 | 500 | 503;

/** Takes each batch of a job once, as the wire contract asks, and refuses a completion whose count is not what it has. */
class FakeControlPlane {
  faults: (Fault | undefined)[] = [];
  retryAfter: string | undefined;
  calls = 0;
  /** Ports in the order in which they counted, and completions, by job. */
  readonly ports = new Map<number, number[]>();
  readonly completions = new Map<number, JobCompleteRequest>();
  private readonly seen = new Set<string>();
  private readonly server = createServer((request, response) => void this.answer(request, response));

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    const address = this.server.address();
    if (address === null || typeof address === "string") throw new Error("listens on no port");
    return `http://127.0.0.1:${address.port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    this.calls++;
    const fault = this.faults.shift();
    if (fault === "unheard") {
      request.socket.destroy();
      return;
    }
    if (typeof fault === "number") {
      this.refuse(response, fault, fault === 409 ? "JOB_NOT_YOURS" : "SOME_CODE");
      return;
    }
    const [status, body] = this.take(request.url ?? "", JSON.parse(Buffer.concat(chunks).toString()));
    if (fault === "lost") {
      request.socket.destroy();
    } else if (fault === "torn") {
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
      response.write('{"ok":', () => request.socket.destroy());
    } else {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    }
  }

  private take(path: string, body: unknown): readonly [number, unknown] {
    const [, id, call] = /^\/scanner\/jobs\/(\d+)\/(results|complete)$/.exec(path) ?? [];
    const jobId = Number(id);
    const ports = this.ports.get(jobId) ?? [];
    this.ports.set(jobId, ports);
    if (call === "results") {
      const { batch, results } = jobResultsRequestSchema.parse(body);
      if (!this.seen.has(`${jobId} ${batch}`)) ports.push(...results.map(({ port }) => port));
      this.seen.add(`${jobId} ${batch}`);
    } else {
      const completion = jobCompleteRequestSchema.parse(body);
      if (completion.status === "completed" && completion.resultCount !== ports.length) {
        return [409, { error: { code: "CONFLICT", message: "counts differ" } }];
      }
      this.completions.set(jobId, completion);
    }
    return [200, { ok: true, cancel: false, maxProbesPerSecond: this.calls }];
  }

  private refuse(response: ServerResponse, status: number, code: string): void {
    const headers = this.retryAfter === undefined ? {} : { "retry-after": this.retryAfter };
    response.writeHead(status, headers).end(JSON.stringify({ error: { code, message: "no" } }));
  }
}

/** Time passes at once; what was asked for is noted. */
class QuickClock implements Clock {
  readonly sleeps: number[] = [];
  /** Sleeps that were ended by their signal. */
  readonly cutShort: number[] = [];
  /** Lets no time pass: a sleep then ends by its signal or never. */
  standsStill = false;
  /** Called before each sleep: may change the world, or end it. */
  onSleep: (ms: number) => void = () => undefined;

  nowMs(): number {
    return 0;
  }

  monotonicMs(): number {
    return 0;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    this.onSleep(ms);
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve());
    if (signal.aborted) aborted.resolve();
    const passed = new Promise((resolve) => setImmediate(resolve));
    await (this.standsStill ? aborted.promise : Promise.race([aborted.promise, passed]));
    if (signal.aborted) this.cutShort.push(ms);
  }
}

const IDLE_MS = 30_000;

let stateDir = "";
let plane: FakeControlPlane;
const planes: FakeControlPlane[] = [];

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "portolan-uploader-"));
});

afterEach(() => {
  rmSync(stateDir, { recursive: true, force: true });
});

afterAll(() => planes.forEach((each) => each.close()));

interface Delivery {
  readonly spool: Spool;
  readonly bell: Bell;
  readonly clock: QuickClock;
  readonly stop: AbortController;
  readonly log: LogEntry[];
  readonly directives: JobDirective[];
  readonly lost: number[];
  running: boolean;
  /** Delivers until there is nothing left to do. */
  run(): Promise<void>;
}

async function newDelivery(faults: readonly (Fault | undefined)[]): Promise<Delivery> {
  plane = new FakeControlPlane();
  plane.faults = [...faults];
  const server = await plane.listen();
  planes.push(plane);
  const stop = new AbortController();
  const clock = new QuickClock();
  const log: LogEntry[] = [];
  const spool = new Spool(stateDir);
  const bell = new Bell();
  const delivery: Delivery = {
    spool,
    bell,
    clock,
    stop,
    log,
    directives: [],
    lost: [],
    running: false,
    run: () => uploader.run(),
  };
  const uploader = new Uploader(
    {
      client: new ControlPlaneClient({ server, apiKey: "ptl_key_x", ca: undefined }),
      clock,
      log: new Log((entry) => log.push(entry), "DEBUG", clock.nowMs),
      signal: stop.signal,
    },
    spool,
    bell,
    {
      directive: (_job, directive) => delivery.directives.push(directive),
      lost: ({ jobId }) => delivery.lost.push(jobId),
      isRunning: () => delivery.running,
    },
  );
  clock.onSleep = (ms) => {
    if (ms === IDLE_MS) stop.abort();
  };
  return delivery;
}

function result(port: number): PortResult {
  return {
    address: "127.0.0.1",
    port,
    protocol: "tcp",
    state: "open",
    reason: "syn-ack",
    observedAt: "2026-01-27T10:30:00.000Z",
  };
}

/** A job with one result a batch, numbered by port, and its completion. */
async function fill(spool: Spool, batches: number, jobId = 7): Promise<void> {
  const job = spool.job(jobId, LEASE);
  for (let port = 1; port <= batches; port++) await job.append([result(port)]);
  await job.finish({ status: "completed", resultCount: batches });
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

function spooled(): string[] {
  return readdirSync(join(stateDir, "spool")).filter((name) => name.startsWith("job-"));
}

describe("a control plane that takes everything", () => {
  test("gets the batches in order, then the completion, and the disk is empty", async () => {
    const delivery = await newDelivery([]);
    await fill(delivery.spool, 3);
    await fill(delivery.spool, 2, 8);
    await delivery.run();
    expect(plane.ports).toEqual(
      new Map([
        [7, upTo(3)],
        [8, upTo(2)],
      ]),
    );
    expect([...plane.completions.keys()]).toEqual([7, 8]);
    expect([spooled(), delivery.spool.jobs()]).toEqual([[], []]);
    expect(plane.calls).toBe(7);
  });

  test("is heard: each answer about a running job is passed on", async () => {
    const delivery = await newDelivery([]);
    await fill(delivery.spool, 2);
    await delivery.run();
    expect(delivery.directives.map(({ maxProbesPerSecond }) => maxProbesPerSecond)).toEqual([1, 2]);
  });

  test("gets what an earlier process left", async () => {
    await fill(new Spool(stateDir), 3);
    const delivery = await newDelivery([]);
    await delivery.run();
    expect([plane.ports.get(7), plane.completions.size]).toEqual([upTo(3), 1]);
  });

  test("gets what a running job adds while nothing is left to send, as soon as the bell rings", async () => {
    const delivery = await newDelivery([]);
    delivery.running = true;
    delivery.clock.standsStill = true;
    const job = delivery.spool.job(7, LEASE);
    await job.append([result(1)]);
    delivery.clock.onSleep = () => {
      if (delivery.clock.sleeps.length > 1) delivery.stop.abort();
      else void job.append([result(2)]).then(() => delivery.bell.ring());
    };
    await delivery.run();
    expect(plane.ports.get(7)).toEqual([1, 2]);
    expect(delivery.clock.sleeps).toEqual([IDLE_MS, IDLE_MS]);
    expect(delivery.spool.jobs()).toEqual([job]);
  });
});

test("a job with much to deliver does not keep others waiting for all of it", async () => {
  const delivery = await newDelivery([]);
  await fill(delivery.spool, 50);
  await fill(delivery.spool, 2, 8);
  let leftOfFirst = 0;
  const done = plane.completions.set.bind(plane.completions);
  plane.completions.set = (jobId, completion) => {
    if (jobId === 8) leftOfFirst = 50 - (plane.ports.get(7)?.length ?? 0);
    return done(jobId, completion);
  };
  delivery.clock.onSleep = () => {
    if (spooled().length === 0) delivery.stop.abort();
  };
  await delivery.run();
  expect(leftOfFirst).toBeGreaterThan(0);
  expect([plane.ports.get(7), plane.ports.get(8)]).toEqual([upTo(50), upTo(2)]);
});

describe("a control plane that fails for a while", () => {
  const transient = fc.constantFrom<Fault | undefined>(
    "lost",
    "torn",
    "unheard",
    401,
    403,
    429,
    500,
    503,
    undefined,
    undefined,
  );

  test("counts each batch once and in order, whatever fails and whenever", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(transient, { maxLength: 25 }),
        fc.integer({ min: 0, max: 6 }),
        async (faults, batches) => {
          const delivery = await newDelivery(faults);
          await fill(delivery.spool, batches);
          // Pauses of any length pass; only an idle uploader with nothing left ends the run.
          delivery.clock.onSleep = () => {
            if (spooled().length === 0) delivery.stop.abort();
          };
          await delivery.run();
          expect(plane.ports.get(7)).toEqual(upTo(batches));
          expect(plane.completions.get(7)).toMatchObject({ status: "completed", resultCount: batches });
        },
      ),
      { numRuns: 40 },
    );
  });

  test("backs off from 1 s to 30 s, and from 1 s again after a success", async () => {
    const delivery = await newDelivery([...Array<Fault>(7).fill(500), undefined, 503]);
    await fill(delivery.spool, 2);
    await delivery.run();
    const ceilings = [1, 2, 4, 8, 16, 30, 30, 1].map((seconds) => seconds * 1_000);
    const pauses = delivery.clock.sleeps.slice(0, ceilings.length);
    pauses.forEach((ms, i) => expect(ms).toBeWithin((ceilings[i] ?? 0) * 0.8, (ceilings[i] ?? 0) + 1));
    expect(delivery.log.filter(({ event }) => event === "results.retry").length).toBe(8);
  });

  test.each([
    [429, "90", 90_000],
    [503, "45", 45_000],
    [429, undefined, 60_000],
    [401, undefined, 60_000],
    [403, undefined, 60_000],
  ] as const)(
    "%d with Retry-After %p is left alone for %d ms, even if new results ring",
    async (status, retryAfter, ms) => {
      const delivery = await newDelivery([status]);
      plane.retryAfter = retryAfter;
      await fill(delivery.spool, 1);
      delivery.clock.onSleep = (asked) => {
        delivery.bell.ring();
        if (asked === IDLE_MS) delivery.stop.abort();
      };
      await delivery.run();
      expect(delivery.clock.sleeps[0]).toBe(ms);
      expect(delivery.clock.cutShort).not.toContain(ms);
      expect(plane.ports.get(7)).toEqual([1]);
    },
  );

  test("keeps what it did not take on disk when the agent stops", async () => {
    const delivery = await newDelivery([undefined, 500, 500]);
    await fill(delivery.spool, 3);
    delivery.clock.onSleep = () => delivery.stop.abort();
    await delivery.run();
    expect(plane.ports.get(7)).toEqual([1]);

    const again = await newDelivery([]);
    await again.run();
    expect(plane.ports.get(7)).toEqual([2, 3]);
  });
});

describe("a control plane that refuses", () => {
  test("one batch for good: it is kept aside, the others count, and the job ends as failed", async () => {
    const delivery = await newDelivery([undefined, 400]);
    await fill(delivery.spool, 3);
    await delivery.run();
    expect(plane.ports.get(7)).toEqual([1, 3]);
    expect(plane.completions.get(7)).toMatchObject({
      status: "failed",
      errorMessage: expect.stringContaining("counts differ"),
    });
    expect(readdirSync(join(stateDir, "spool", "set-aside")).toSorted()).toEqual([
      `job-7-${LEASE}-batch-0000002.json`,
      `job-7-${LEASE}-completion.json`,
    ]);
    expect(delivery.log.filter(({ event }) => event === "results.refused").length).toBe(2);
    expect(spooled()).toEqual([]);
  });

  test("the completion twice: the uploader gives up on the job, and goes on with others", async () => {
    const delivery = await newDelivery([undefined, 400, 400]);
    await fill(delivery.spool, 1);
    await fill(delivery.spool, 1, 8);
    await delivery.run();
    expect(plane.completions.has(7)).toBe(false);
    expect(plane.completions.get(8)).toMatchObject({ status: "completed" });
    expect(spooled()).toEqual([]);
  });

  test.each(["batch", "completion"] as const)(
    "the %s because the job is another's: the job is dropped",
    async (what) => {
      const delivery = await newDelivery(what === "batch" ? [409] : [undefined, undefined, 409]);
      await fill(delivery.spool, 2);
      await fill(delivery.spool, 2, 8);
      await delivery.run();
      expect(delivery.lost).toEqual([7]);
      expect(plane.completions.has(7)).toBe(false);
      expect([plane.ports.get(8), plane.completions.has(8)]).toEqual([[1, 2], true]);
      expect(spooled()).toEqual([]);
    },
  );
});
