import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { systemClock } from "#shared/clock.ts";
import { Log, type LogEntry } from "#shared/log.ts";
import { ControlPlaneClient } from "../client/control-plane.ts";
import { HeartbeatAnswers } from "./heartbeat-answers.ts";
import type { DaemonServices } from "./services.ts";

const ANSWER = { ok: true, serverTime: "2026-01-27T10:30:00.000Z" } as const;

/** Method, path and key of each call. */
let calls: string[] = [];
let rotateStatus = 200;
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request) {
    calls.push(`${request.method} ${new URL(request.url).pathname} ${request.headers.get("x-api-key")}`);
    if (request.url.endsWith("/heartbeat")) return Response.json(ANSWER);
    const answer = { apiKey: "ptl_key_new", formerKeyExpiresAt: "2026-01-28T10:30:00.000Z" };
    const refusal = { error: { code: "CONFLICT", message: "not asked" } };
    return Response.json(rotateStatus === 200 ? answer : refusal, { status: rotateStatus });
  },
});
afterAll(() => server.stop(true));

let logged: LogEntry[] = [];
let kept: string[] = [];
beforeEach(() => {
  calls = [];
  logged = [];
  kept = [];
  rotateStatus = 200;
});

function servicesWith(keepKey: DaemonServices["keepKey"]): DaemonServices {
  const options = { server: `http://127.0.0.1:${server.port}`, apiKey: "ptl_key_old", ca: undefined };
  return {
    client: new ControlPlaneClient(options),
    clock: systemClock,
    log: new Log((entry) => logged.push(entry), "DEBUG", systemClock.nowMs),
    signal: new AbortController().signal,
    keepKey,
  };
}

const keep = async (key: string): Promise<void> => void kept.push(key);
const events = (): string[] => logged.map(({ event }) => event);

describe("an answer that asks for a new key", () => {
  test("is followed: fetched with the present key, kept, then used", async () => {
    const services = servicesWith(keep);
    await new HeartbeatAnswers(services).follow({ ...ANSWER, rotateKey: true });
    await services.client.heartbeat({});
    expect(calls).toEqual(["POST /scanner/rotate-key ptl_key_old", "POST /scanner/heartbeat ptl_key_new"]);
    expect(kept).toEqual(["ptl_key_new"]);
    expect(events()).toEqual(["key.rotated"]);
    expect(JSON.stringify(logged)).not.toContain("ptl_key_");
  });

  test("leaves the present key in use when the new one cannot be kept", async () => {
    const services = servicesWith(async () => {
      throw new Error("the disk is full");
    });
    await new HeartbeatAnswers(services).follow({ ...ANSWER, rotateKey: true });
    await services.client.heartbeat({});
    expect(calls.at(-1)).toBe("POST /scanner/heartbeat ptl_key_old");
    expect(logged).toMatchObject([
      { event: "key.not-rotated", message: expect.stringContaining("disk is full") },
    ]);
  });

  test("leaves it in use when none is given, and when it comes from the environment", async () => {
    rotateStatus = 409;
    await new HeartbeatAnswers(servicesWith(keep)).follow({ ...ANSWER, rotateKey: true });
    await new HeartbeatAnswers(servicesWith(undefined)).follow({ ...ANSWER, rotateKey: true });
    expect(kept).toEqual([]);
    expect(events()).toEqual(["key.not-rotated", "key.not-rotated"]);
    expect(calls.length).toBe(1);
  });
});

test("an answer that names a newer version warns once; one that names an older one does not", async () => {
  const answers = new HeartbeatAnswers(servicesWith(keep));
  await answers.follow({ ...ANSWER, minimumVersion: "0.0.1" });
  expect(events()).toEqual([]);
  for (let i = 0; i < 3; i++) await answers.follow({ ...ANSWER, minimumVersion: "999.0.0" });
  expect(events()).toEqual(["agent.outdated"]);
});

test("an answer that asks for nothing calls nobody", async () => {
  await new HeartbeatAnswers(servicesWith(keep)).follow(ANSWER);
  expect([calls, logged]).toEqual([[], []]);
});
