import { afterEach, describe, expect, test } from "bun:test";
import { z } from "zod";
import { type ScanLog, scanLogListSchema, scanLogSchema } from "#shared/protocol/administration.ts";
import type { Job } from "#shared/protocol/job.ts";
import { MAX_POLL_WAIT_SECONDS } from "#shared/protocol/limits.ts";
import { type RunningServer, startServer } from "../../server.ts";
import { LOG_STREAM_PULSE_MS } from "../../services/log-streams.ts";
import { migrate } from "../../store/migrate.ts";
import { MIGRATIONS } from "../../store/migrations/all.ts";
import { openStore } from "../../store/store.ts";
import { createPostgresDatabase } from "../../store/testing/postgres.ts";
import { describeOnBothDatabases } from "../../store/testing/stores.ts";
import { errorCode, TestControlPlane, type TestScanner } from "../../testing/control-plane.ts";
import { SESSION_COOKIE } from "../session-cookie.ts";

interface Event {
  readonly id: string | undefined;
  readonly name: string;
  readonly data: unknown;
}

const open: { server: RunningServer; plane: TestControlPlane }[] = [];
afterEach(async () => {
  for (const { server, plane } of open.splice(0)) {
    plane.services.logStreams.close();
    await server.stop();
  }
});

function serve(plane: TestControlPlane): string {
  const server = startServer(plane.app, [{ hostname: "127.0.0.1", port: 0 }], undefined);
  server.open();
  open.push({ server, plane });
  return server.urls[0] ?? "";
}

/** A client of an event stream: the events one after the other, and `pulse` for comments. */
class Follower {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  private readonly decoder = new TextDecoder();
  private text = "";

  constructor(body: ReadableStream<Uint8Array>) {
    this.reader = body.getReader();
  }

  /** The next block; undefined at the end of the stream. */
  async next(): Promise<Event | undefined> {
    for (;;) {
      const end = this.text.indexOf("\n\n");
      if (end >= 0) {
        const block = this.text.slice(0, end);
        this.text = this.text.slice(end + 2);
        if (!block.startsWith("retry:")) return parseBlock(block);
        continue;
      }
      const { done, value } = await this.reader.read();
      if (done) return undefined;
      this.text += this.decoder.decode(value, { stream: true });
    }
  }

  async line(): Promise<ScanLog> {
    const event = await this.next();
    expect(event?.name).toBe("log");
    const line = scanLogSchema.parse(event?.data);
    expect(event?.id).toBe(String(line.id));
    return line;
  }

  leave(): Promise<void> {
    return this.reader.cancel();
  }
}

function parseBlock(block: string): Event {
  if (block.startsWith(":")) return { id: undefined, name: "pulse", data: undefined };
  const fields = new Map(
    block.split("\n").map((line) => [line.split(": ", 1)[0], line.replace(/^\w+: /, "")]),
  );
  return {
    id: fields.get("id"),
    name: fields.get("event") ?? "",
    data: JSON.parse(fields.get("data") ?? ""),
  };
}

async function follow(url: string, path: string, headers: Record<string, string>): Promise<Follower> {
  const response = await fetch(`${url}${path}`, { headers: { Accept: "text/event-stream", ...headers } });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(response.headers.get("cache-control")).toBe("no-store");
  if (response.body === null) throw new Error("the answer has no body");
  return new Follower(response.body);
}

/** A scan that runs on its one scanner, which has logged `lines` lines. */
async function runningScan(
  plane: TestControlPlane,
  lines: number,
): Promise<{ scanner: TestScanner; job: Job; log: (...messages: string[]) => Promise<void> }> {
  const scanner = await plane.addScanner("s1");
  await plane.startScan([scanner]);
  const job = await plane.claim(scanner);
  let batch = 0;
  const log = async (...messages: string[]): Promise<void> => {
    const logs = messages.map((message) => ({
      timestamp: "2026-01-27T10:30:00.000Z",
      level: "info" as const,
      message,
    }));
    batch++;
    expect((await plane.jobCall(scanner, job, "logs", { batch, logs })).status).toBe(200);
  };
  for (let line = 1; line <= lines; line++) await log(`line ${line}`);
  return { scanner, job, log };
}

async function endScan(plane: TestControlPlane, scanner: TestScanner, job: Job): Promise<void> {
  const body = { status: "failed", resultCount: 0, errorMessage: "on purpose" };
  expect((await plane.jobCall(scanner, job, "complete", body)).status).toBe(200);
}

async function bearer(plane: TestControlPlane): Promise<Record<string, string>> {
  return { Authorization: `Bearer ${await plane.token("viewer")}` };
}

describeOnBothDatabases("a scan's log", (openTestStore) => {
  test("comes in pages where no events are asked for", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await runningScan(plane, 3);
    const token = await plane.token("viewer");
    const page = await plane.call("GET", "/api/scans/1/logs?limit=2", { token });
    const { logs, nextCursor } = scanLogListSchema.parse(page.body);
    expect(logs.map(({ message }) => message)).toEqual(["line 1", "line 2"]);
    const rest = await plane.call("GET", `/api/scans/1/logs?cursor=${nextCursor}`, { token });
    expect(rest.body).toMatchObject({ logs: [{ message: "line 3" }], nextCursor: null });
  });

  test("is followed: what is there, then what comes, until the scan has ended and all is told", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { scanner, job, log } = await runningScan(plane, 2);
    const follower = await follow(serve(plane), "/api/scans/1/logs", await bearer(plane));
    expect((await follower.line()).message).toBe("line 1");
    expect((await follower.line()).message).toBe("line 2");
    await log("line 3", "with\nlines, <b>&amp; \u{1F980}");
    expect((await follower.line()).message).toBe("line 3");
    expect((await follower.line()).message).toBe("with\nlines, <b>&amp; \u{1F980}");
    await log("the last");
    await endScan(plane, scanner, job);
    expect((await follower.line()).message).toBe("the last");
    expect(await follower.next()).toMatchObject({ name: "end", data: { status: "failed" } });
    expect(await follower.next()).toBeUndefined();
  });

  test("goes on after the line that the client had last, or after the cursor", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { scanner, job } = await runningScan(plane, 5);
    await endScan(plane, scanner, job);
    const url = serve(plane);
    const auth = await bearer(plane);
    const whole = await follow(url, "/api/scans/1/logs", auth);
    const ids: number[] = [];
    for (let line = 0; line < 5; line++) ids.push((await whole.line()).id);
    const again = await follow(url, "/api/scans/1/logs", { ...auth, "Last-Event-ID": String(ids[3]) });
    expect((await again.line()).message).toBe("line 5");
    expect((await again.next())?.name).toBe("end");
    const cursor = await follow(url, `/api/scans/1/logs?cursor=${ids[2]}`, auth);
    expect((await cursor.line()).message).toBe("line 4");
    await cursor.leave();
  });

  test("longer than a page is told whole and in order", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { scanner, job, log } = await runningScan(plane, 0);
    const messages = Array.from({ length: 480 }, (_, line) => `line ${line}`);
    for (let start = 0; start < messages.length; start += 80) await log(...messages.slice(start, start + 80));
    await endScan(plane, scanner, job);
    const follower = await follow(serve(plane), "/api/scans/1/logs", await bearer(plane));
    const told: string[] = [];
    for (const _ of messages) told.push((await follower.line()).message);
    expect(told).toEqual(messages);
    expect((await follower.next())?.name).toBe("end");
  });
});

describeOnBothDatabases("following a scan's log", (openTestStore) => {
  test("sends a pulse while nothing comes, more often than the server closes silent connections", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { log } = await runningScan(plane, 1);
    const follower = await follow(serve(plane), "/api/scans/1/logs", await bearer(plane));
    await follower.line();
    const pulse = follower.next();
    while (plane.clock.sleeping === 0) await new Promise(setImmediate);
    plane.clock.advance(LOG_STREAM_PULSE_MS);
    expect((await pulse)?.name).toBe("pulse");
    expect(LOG_STREAM_PULSE_MS).toBeLessThan(MAX_POLL_WAIT_SECONDS * 1_000);
    await log("line 2");
    expect((await follower.line()).message).toBe("line 2");
    await follower.leave();
  });

  test("ends when the credential does", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await runningScan(plane, 1);
    const admin = await plane.token("admin");
    const created = await plane.call("POST", "/api/tokens", {
      token: admin,
      body: { name: "short", role: "viewer" },
    });
    const { token, info } = z
      .object({ token: z.string(), info: z.object({ id: z.int() }) })
      .parse(created.body);
    const follower = await follow(serve(plane), "/api/scans/1/logs", { Authorization: `Bearer ${token}` });
    await follower.line();
    await plane.call("DELETE", `/api/tokens/${info.id}`, { token: admin });
    const ended = (async () => {
      while ((await follower.next()) !== undefined);
      return "ended";
    })();
    const state = { isOver: false };
    void ended.then(() => (state.isOver = true));
    while (!state.isOver) {
      plane.clock.advance(LOG_STREAM_PULSE_MS);
      await new Promise(setImmediate);
    }
    expect(await ended).toBe("ended");
  });

  test("works with a browser's session", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await runningScan(plane, 1);
    const session = await plane.services.sessions.signIn(await plane.token("viewer"), "192.0.2.1");
    const follower = await follow(serve(plane), "/api/scans/1/logs", {
      Cookie: `${SESSION_COOKIE}=${session.id}`,
    });
    expect((await follower.line()).message).toBe("line 1");
    await follower.leave();
  });

  test("is refused without a credential, of a scan that is not there, and with a wrong place to go on from", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const token = await plane.token("viewer");
    const headers = { Accept: "text/event-stream" };
    const nobody = await plane.call("GET", "/api/scans/1/logs", { headers });
    expect([nobody.status, errorCode(nobody)]).toEqual([401, "UNAUTHENTICATED"]);
    const none = await plane.call("GET", "/api/scans/7/logs", { headers, token });
    expect([none.status, errorCode(none)]).toEqual([404, "NOT_FOUND"]);
    const wrong = { headers: { ...headers, "Last-Event-ID": "x' or 1=1" }, token };
    const refused = await plane.call("GET", "/api/scans/1/logs", wrong);
    expect([refused.status, errorCode(refused)]).toEqual([400, "INVALID_REQUEST"]);
  });

  test("is for so many at a time; whoever leaves makes room", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await runningScan(plane, 0);
    const gone = new AbortController();
    const isStillAllowed = async (): Promise<boolean> => true;
    const one = { signal: new AbortController().signal, isStillAllowed };
    for (let follower = 0; follower < 199; follower++) await plane.services.logStreams.follow(1, 0, one);
    await plane.services.logStreams.follow(1, 0, { signal: gone.signal, isStillAllowed });
    const answer = await plane.call("GET", "/api/scans/1/logs", {
      token: await plane.token("viewer"),
      headers: { Accept: "text/event-stream" },
    });
    expect([answer.status, errorCode(answer)]).toEqual([429, "RATE_LIMITED"]);
    expect(answer.headers.get("retry-after")).toBe("10");
    gone.abort();
    expect(await plane.services.logStreams.follow(1, 0, one)).toBeDefined();
    plane.services.logStreams.close();
  });
});

describe("a log followed at one replica", () => {
  test("tells what another one takes", async () => {
    const url = await createPostgresDatabase();
    const stores = [openStore(url), openStore(url)] as const;
    await migrate(stores[0], MIGRATIONS);
    const [here, there] = [new TestControlPlane(stores[0]), new TestControlPlane(stores[1])];
    const { scanner, job, log } = await runningScan(there, 1);
    const follower = await follow(serve(here), "/api/scans/1/logs", await bearer(here));
    expect((await follower.line()).message).toBe("line 1");
    await log("line 2");
    expect((await follower.line()).message).toBe("line 2");
    await endScan(there, scanner, job);
    expect((await follower.next())?.name).toBe("end");
    for (const { server } of open.splice(0)) await server.stop();
    for (const store of stores) await store.close();
  });
});
