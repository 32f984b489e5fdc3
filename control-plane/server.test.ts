import { describe, expect, test } from "bun:test";
import { jobsResponseSchema } from "#shared/protocol/job.ts";
import { createRouter } from "./http/environment.ts";
import { parseListenAddress, startServer } from "./server.ts";
import { describeOnSqlite } from "./store/testing/stores.ts";
import { TestControlPlane } from "./testing/control-plane.ts";

describe("an address to listen on", () => {
  test.each([
    ["127.0.0.1:8420", { hostname: "127.0.0.1", port: 8420 }],
    ["[::1]:0", { hostname: "::1", port: 0 }],
    [":80", { hostname: "0.0.0.0", port: 80 }],
    ["localhost:65535", { hostname: "localhost", port: 65_535 }],
  ])("%s is read", (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
  });

  test.each(["8420", "127.0.0.1", "127.0.0.1:65536", "::1:80", "host:-1", ""])("%j is refused", (text) => {
    expect(() => parseListenAddress(text)).toThrow("is no address to listen on");
  });
});

describeOnSqlite("a server", (openTestStore) => {
  const loopback = [{ hostname: "127.0.0.1", port: 0 }];

  test("knows from where it is called, on every address", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { key } = await plane.addScanner("s1", { bindingMode: "ip", bindingValue: "127.0.0.1" });
    const server = startServer(plane.app, [...loopback, ...loopback], undefined);
    server.open();
    expect(server.urls).toHaveLength(2);
    for (const url of server.urls) {
      const response = await fetch(`${url}/scanner/heartbeat`, {
        method: "POST",
        headers: { "X-API-Key": key, "Content-Type": "application/json" },
        body: "{}",
      });
      expect(response.status).toBe(200);
    }
    await server.stop();
  });

  test("lets requests wait until it is open", async () => {
    let isOpen = false;
    const app = createRouter();
    app.get("/", (c) => c.text(isOpen ? "open" : "too early"));
    const server = startServer(app, loopback, undefined);
    const answer = fetch(server.urls[0] ?? "").then((response) => response.text());
    // Meanwhile another server answers, so that this one could have, too.
    const other = startServer(app, loopback, undefined);
    other.open();
    expect(await (await fetch(other.urls[0] ?? "")).text()).toBe("too early");
    isOpen = true;
    server.open();
    expect(await answer).toBe("open");
    await Promise.all([server.stop(), other.stop()]);
  });

  test("that never opened ends at once, with those that wait", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const server = startServer(plane.app, loopback, undefined);
    const health = fetch(`${server.urls[0]}/health`).catch(() => "cut off");
    await server.stop();
    expect(await health).toBe("cut off");
  });

  test("that stops lets a waiting poll end first", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { key } = await plane.addScanner("s1");
    const server = startServer(plane.app, loopback, undefined);
    server.open();
    const poll = fetch(`${server.urls[0]}/scanner/jobs?wait=55`, { headers: { "X-API-Key": key } });
    while (plane.clock.sleeping < 2) await new Promise(setImmediate);
    plane.services.bell.close();
    await server.stop();
    const response = await poll;
    expect(jobsResponseSchema.parse(await response.json())).toEqual({ jobs: [] });
  });

  test("cannot have a port that is taken, and then listens nowhere", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const first = startServer(plane.app, loopback, undefined);
    const port = Number(new URL(first.urls[0] ?? "").port);
    expect(() => startServer(plane.app, [{ hostname: "127.0.0.1", port }], undefined)).toThrow(
      expect.objectContaining({
        code: "LISTEN_FAILED",
        message: `cannot listen on 127.0.0.1:${port}: another program has it`,
      }),
    );
    await first.stop();
  });
});
