import { afterEach, beforeEach, expect, test } from "bun:test";
import { enrolmentTokenCreateResponseSchema } from "#shared/protocol/enrolment.ts";
import { scannerCreateResponseSchema } from "#shared/protocol/operator.ts";
import { type SettingsView, settingsViewSchema } from "#shared/protocol/settings.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import { errorCode, errorOf, TestControlPlane } from "../../testing/control-plane.ts";

const PATH = "/api/config/settings";
const NONE = { publicUrl: null, deadManUrl: null, minimumAgentVersion: null };

function set(plane: TestControlPlane, body: object): Promise<SettingsView> {
  return plane.operate("PUT", PATH, settingsViewSchema, body);
}

async function installCommand(plane: TestControlPlane, name: string): Promise<string> {
  const created = await plane.operate("POST", "/api/config/scanners", scannerCreateResponseSchema, { name });
  return created.provisioning.installCommand;
}

describeOnBothDatabases("settings", (openTestStore) => {
  test("come before flags, and flags before the Host header", async () => {
    const store = await openTestStore();
    const bare = new TestControlPlane(store);
    const flags = { publicUrl: "https://flag.example", minimumAgentVersion: "1.0.0" };
    const plane = new TestControlPlane(store, { settingDefaults: flags });
    expect(await bare.operate("GET", PATH, settingsViewSchema)).toEqual({ settings: NONE, inForce: NONE });
    expect(await installCommand(bare, "by-host")).toContain("'http://localhost/scanner/install'");
    expect(await installCommand(plane, "by-flag")).toContain("'https://flag.example/scanner/install'");
    const view = await set(plane, { publicUrl: "https://set.example/portolan/" });
    expect(view).toEqual({
      settings: { ...NONE, publicUrl: "https://set.example/portolan" },
      inForce: { ...NONE, publicUrl: "https://set.example/portolan", minimumAgentVersion: "1.0.0" },
    });
    const expected = "'https://set.example/portolan/scanner/install'";
    expect(await installCommand(plane, "by-setting")).toContain(expected);
    const enrolment = await plane.operate(
      "POST",
      "/api/config/enrolment-tokens",
      enrolmentTokenCreateResponseSchema,
      { name: "rack" },
    );
    expect(enrolment.installCommand).toContain(expected);
    const script = await plane.call("GET", "/scanner/install", { token: enrolment.token });
    expect(String(script.body)).toContain("PORTOLAN_SERVER='https://set.example/portolan'\n");
  });

  test("that are absent stay, and null removes one", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await set(plane, { deadManUrl: "https://dead.example/ping", minimumAgentVersion: "1.2.3" });
    await set(plane, { minimumAgentVersion: "1.2.4" });
    const { settings } = await set(plane, { deadManUrl: null });
    expect(settings).toEqual({ ...NONE, minimumAgentVersion: "1.2.4" });
  });

  test("that another replica changed hold here after a few seconds", async () => {
    const store = await openTestStore();
    const [plane, replica] = [new TestControlPlane(store), new TestControlPlane(store)];
    const scanner = await plane.addScanner("s1");
    const heartbeat = async () =>
      (await plane.call("POST", "/scanner/heartbeat", { key: scanner.key, body: {} })).body;
    expect(await heartbeat()).not.toHaveProperty("minimumVersion");
    await set(replica, { minimumAgentVersion: "9.9.9" });
    plane.clock.advance(5_000);
    expect(await heartbeat()).toMatchObject({ ok: true, minimumVersion: "9.9.9" });
  });
});

describeOnSqlite("settings", (openTestStore) => {
  test.each([
    [{ publicUrl: "portolan.example" }, "publicUrl"],
    [{ publicUrl: "ftp://portolan.example" }, "publicUrl"],
    [{ publicUrl: "https://user:secret@portolan.example" }, "publicUrl"],
    [{ publicUrl: "https://portolan.example/?a=b" }, "publicUrl"],
    [{ publicUrl: "" }, "publicUrl"],
    [{ deadManUrl: "file:///etc/passwd" }, "deadManUrl"],
    [{ minimumAgentVersion: "new" }, "minimumAgentVersion"],
    [{ minimumAgentVersion: 1 }, "minimumAgentVersion"],
    [{ publicURL: null }, "publicURL"],
  ])("refuse %j, naming it, and store nothing", async (body, field) => {
    const plane = new TestControlPlane(await openTestStore());
    const answer = await plane.call("PUT", PATH, { token: await plane.token("admin"), body });
    expect([answer.status, errorCode(answer)]).toEqual([400, "INVALID_REQUEST"]);
    expect(errorOf(answer).message).toContain(field);
    expect((await plane.operate("GET", PATH, settingsViewSchema)).settings).toEqual(NONE);
  });

  test("are the admins', and each change is in the audit log, without the secret of a URL", async () => {
    const plane = new TestControlPlane(await openTestStore());
    for (const role of ["viewer", "operator"] as const) {
      const token = await plane.token(role);
      expect(errorCode(await plane.call("GET", PATH, { token }))).toBe("FORBIDDEN");
      expect(errorCode(await plane.call("PUT", PATH, { token, body: {} }))).toBe("FORBIDDEN");
    }
    await set(plane, { deadManUrl: "https://dead.example/secret", publicUrl: "https://set.example" });
    const rows = await plane.store.run(({ db }) => db.selectFrom("audit").selectAll().execute());
    const detail = JSON.stringify({ publicUrl: "https://set.example", deadManUrl: "set" });
    expect(rows.filter(({ action }) => action === "settings.changed")).toMatchObject([{ detail }]);
    expect(JSON.stringify(plane.logged)).not.toContain("secret");
  });
});

describeOnBothDatabases("the dead man's URL", (openTestStore) => {
  let calls: string[];
  let status: number;
  let server: Bun.Server<undefined>;
  beforeEach(() => {
    calls = [];
    status = 200;
    server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) => {
        calls.push(`${request.method} ${new URL(request.url).pathname}`);
        return new Response("noted", { status });
      },
    });
  });
  afterEach(() => server.stop(true));

  const signal = new AbortController().signal;

  test("is called once a minute, by one of the replicas", async () => {
    const store = await openTestStore();
    const planes = [new TestControlPlane(store), new TestControlPlane(store), new TestControlPlane(store)];
    const pingAll = async () => {
      const turns = await Promise.all(planes.map(({ services }) => services.deadMan.ping(signal)));
      return turns.filter(Boolean).length;
    };
    expect(await pingAll()).toBe(0);
    const [plane] = planes;
    if (plane === undefined) throw new Error("no plane");
    await set(plane, { deadManUrl: `${server.url.origin}/ping` });
    for (const { clock } of planes) clock.advance(5_000);
    expect([await pingAll(), await pingAll()]).toEqual([1, 0]);
    store.dialect.shiftClock(60_000);
    expect([await pingAll(), await pingAll()]).toEqual([1, 0]);
    expect(calls).toEqual(["GET /ping", "GET /ping"]);
  });

  test("that fails is logged, without the URL, and called again in a minute", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await set(plane, { deadManUrl: `${server.url.origin}/secret` });
    status = 500;
    expect(await plane.services.deadMan.ping(signal)).toBe(true);
    const lines = plane.logged.filter(({ event }) => event === "dead-man.failed");
    expect(lines).toMatchObject([{ level: "WARNING", message: expect.stringContaining("500") }]);
    expect(JSON.stringify(lines)).not.toContain("secret");
    plane.store.dialect.shiftClock(60_000);
    expect(await plane.services.deadMan.ping(signal)).toBe(true);
  });
});
