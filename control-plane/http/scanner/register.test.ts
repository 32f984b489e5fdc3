import { expect, test } from "bun:test";
import { PROVISIONING_TOKEN_TTL_MS } from "#shared/protocol/limits.ts";
import { scannerCreateResponseSchema, scannerViewSchema } from "#shared/protocol/operator.ts";
import { registerResponseSchema } from "#shared/protocol/scanner.ts";
import { describeOnBothDatabases } from "../../store/testing/stores.ts";
import { type Answer, errorOf, TestControlPlane } from "../../testing/control-plane.ts";

function register(
  plane: TestControlPlane,
  token: string,
  installId: string,
  facts: object = {},
): Promise<Answer> {
  return plane.call("POST", "/scanner/register", { body: { token, installId, ...facts } });
}

function keyOf(answer: Answer): string {
  return registerResponseSchema.parse(answer.body).apiKey;
}

async function heartbeat(plane: TestControlPlane, key: string): Promise<number> {
  return (await plane.call("POST", "/scanner/heartbeat", { key, body: {} })).status;
}

describeOnBothDatabases("registration", (openTestStore) => {
  test("trades the token for a key that works, and keeps what the host says of itself", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { id, token } = await plane.provision("s1");
    const answer = await register(plane, token, crypto.randomUUID(), {
      hostname: "edge",
      capabilities: ["syn"],
    });
    expect(answer.body).toEqual({
      scannerId: id,
      name: "s1",
      apiKey: expect.stringMatching(/^ptl_key_.{43}$/),
    });
    expect(await heartbeat(plane, keyOf(answer))).toBe(200);
    const scanner = await plane.operate("GET", `/api/scanners/${id}`, scannerViewSchema);
    expect(scanner).toMatchObject({
      status: "active",
      hostname: "edge",
      capabilities: ["syn"],
      externalIp: "192.0.2.1",
    });
  });

  test("serves once: of hosts that come at the same time, one gets in", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await plane.provision("s1");
    const hosts = Array.from({ length: 8 }, () => register(plane, token, crypto.randomUUID()));
    const statuses = (await Promise.all(hosts)).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 401, 401, 401, 401, 401, 401, 401]);
  });

  test("answers the same host again within the hour, with a fresh key in place of the former", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await plane.provision("s1");
    const installId = crypto.randomUUID();
    const first = keyOf(await register(plane, token, installId));
    const second = keyOf(await register(plane, token, installId));
    expect(await heartbeat(plane, first)).toBe(401);
    expect(await heartbeat(plane, second)).toBe(200);
    plane.store.dialect.shiftClock(PROVISIONING_TOKEN_TTL_MS);
    expect(errorOf(await register(plane, token, installId)).message).toContain("has expired");
  });

  test("says why a token does not serve, and what to do", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const used = await plane.provision("used");
    await register(plane, used.token, crypto.randomUUID());
    const expired = await plane.provision("expired");
    plane.store.dialect.shiftClock(PROVISIONING_TOKEN_TTL_MS);
    const replaced = await plane.provision("replaced");
    const path = `/api/config/scanners/${replaced.id}/regenerate-token`;
    const renewed = await plane.operate("POST", path, scannerCreateResponseSchema);
    const deleted = await plane.provision("deleted");
    await plane.call("DELETE", `/api/config/scanners/${deleted.id}`, { token: await plane.token("admin") });

    const answers = [];
    for (const token of [used.token, expired.token, replaced.token, deleted.token, "ptl_prov_never"]) {
      answers.push(errorOf(await register(plane, token, crypto.randomUUID())));
    }
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(["INVALID_PROVISIONING_TOKEN"]));
    expect(answers.map(({ message }) => message)).toEqual([
      expect.stringContaining("has expired; make a new one with 'regenerate-token'"),
      expect.stringContaining("has expired"),
      expect.stringContaining("was replaced"),
      expect.stringContaining("was replaced"),
      expect.stringContaining("is unknown"),
    ]);
    expect((await register(plane, renewed.provisioning.token, crypto.randomUUID())).status).toBe(200);
  });

  test("tells a used token from an expired one within the hour", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await plane.provision("s1");
    await register(plane, token, crypto.randomUUID());
    expect(errorOf(await register(plane, token, crypto.randomUUID())).message).toContain("has been used");
  });

  test("is limited to ten attempts a minute from one address, good ones included", async () => {
    const plane = new TestControlPlane(await openTestStore());
    for (let i = 0; i < 10; i++) {
      const { token } = await plane.provision(`s${i}`);
      expect((await register(plane, token, crypto.randomUUID())).status).toBe(200);
    }
    const { token } = await plane.provision("eleventh");
    const limited = await register(plane, token, crypto.randomUUID());
    expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "60"]);
    plane.clock.advance(60_000);
    expect((await register(plane, token, crypto.randomUUID())).status).toBe(200);
  });

  test("keeps no secret: neither token nor key is in the database or the log", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await plane.provision("s1");
    const key = keyOf(await register(plane, token, crypto.randomUUID()));
    const tables = ["scanners", "provisioning_tokens", "operator_tokens", "audit"] as const;
    for (const table of tables) {
      const rows = await plane.store.run(({ db }) => db.selectFrom(table).selectAll().execute());
      expect(rows.length).toBeGreaterThan(0);
      for (const secret of [token, key, await plane.token("admin")])
        expect(JSON.stringify(rows)).not.toContain(secret);
    }
    expect(JSON.stringify(plane.logged)).not.toMatch(/ptl_(?:prov|key|op)_/);
  });
});
