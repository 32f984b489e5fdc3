import { expect, test } from "bun:test";
import { auditListSchema, operatorTokenListSchema } from "#shared/protocol/administration.ts";
import { SESSION_TTL_MS } from "#shared/protocol/limits.ts";
import { sessionViewSchema } from "#shared/protocol/session.ts";
import { parseNetwork } from "../../services/network.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import { type Answer, type Call, errorCode, TestControlPlane } from "../../testing/control-plane.ts";

const OWN_PAGE = { "Sec-Fetch-Site": "same-origin" };
const SIGNED_OUT = { operator: null, expiresAt: null };

function signIn(plane: TestControlPlane, token: string, call: Call = {}): Promise<Answer> {
  return plane.call("POST", "/api/session", {
    ...call,
    headers: { ...OWN_PAGE, ...call.headers },
    body: { token },
  });
}

/** What the browser sends back. */
function cookieOf(answer: Answer): string {
  const [pair = ""] = (answer.headers.get("set-cookie") ?? "").split(";", 1);
  return pair;
}

async function signedIn(plane: TestControlPlane, role: "viewer" | "operator" | "admin"): Promise<string> {
  return cookieOf(await signIn(plane, await plane.token(role)));
}

async function auditActions(plane: TestControlPlane): Promise<string[]> {
  const { entries } = await plane.operate("GET", "/api/audit", auditListSchema);
  return entries
    .filter(({ action }) => action.startsWith("session."))
    .map(({ actor, action, object }) => `${actor} ${action} ${object}`)
    .toReversed();
}

describeOnBothDatabases("a session", (openTestStore) => {
  test("begins with a token, and does what the token may", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const answer = await signIn(plane, await plane.token("operator"));
    expect(answer.status).toBe(200);
    const { operator, expiresAt } = sessionViewSchema.parse(answer.body);
    expect(operator).toEqual({ name: "test-operator", role: "operator" });
    const headers = { Cookie: cookieOf(answer), ...OWN_PAGE };
    expect((await plane.call("GET", "/api/session", { headers })).body).toEqual({ operator, expiresAt });
    expect((await plane.call("GET", "/api/scanners", { headers })).status).toBe(200);
    const created = await plane.call("POST", "/api/config/scanners", { headers, body: { name: "s1" } });
    expect([created.status, created.body]).toMatchObject([
      201,
      { scanner: { createdBy: "operator:test-operator" } },
    ]);
    expect(errorCode(await plane.call("GET", "/api/tokens", { headers }))).toBe("FORBIDDEN");
  });

  test("is kept as a hash", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const [, id = ""] = (await signedIn(plane, "viewer")).split("=");
    expect(id).toMatch(/^ptl_ses_[\w-]{43}$/);
    const rows = await plane.store.run(({ db }) => db.selectFrom("operator_sessions").selectAll().execute());
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(id);
  });

  test("holds for every replica", async () => {
    const store = await openTestStore();
    const headers = { Cookie: await signedIn(new TestControlPlane(store), "viewer") };
    expect((await new TestControlPlane(store).call("GET", "/api/scanners", { headers })).status).toBe(200);
  });

  test("ends at sign-out, for whoever still has the cookie", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const headers = { Cookie: await signedIn(plane, "viewer"), ...OWN_PAGE };
    const answer = await plane.call("DELETE", "/api/session", { headers });
    expect([answer.status, answer.headers.get("set-cookie")]).toEqual([
      204,
      "portolan_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict",
    ]);
    expect((await plane.call("GET", "/api/session", { headers })).body).toEqual(SIGNED_OUT);
    const refused = await plane.call("GET", "/api/scanners", { headers });
    expect([refused.status, errorCode(refused)]).toEqual([401, "UNAUTHENTICATED"]);
    expect((await plane.call("DELETE", "/api/session", { headers })).status).toBe(204);
  });

  test("ends after 12 hours, however much it is used", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const headers = { Cookie: await signedIn(plane, "viewer") };
    plane.store.dialect.shiftClock(SESSION_TTL_MS - 60_000);
    expect((await plane.call("GET", "/api/scanners", { headers })).status).toBe(200);
    plane.store.dialect.shiftClock(60_000);
    expect((await plane.call("GET", "/api/scanners", { headers })).status).toBe(401);
    expect((await plane.call("GET", "/api/session", { headers })).body).toEqual(SIGNED_OUT);
    await signedIn(plane, "viewer");
    const rows = await plane.store.run(({ db }) => db.selectFrom("operator_sessions").select("id").execute());
    expect(rows).toHaveLength(1);
  });

  test("ends with its token", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const headers = { Cookie: await signedIn(plane, "viewer") };
    const { tokens } = await plane.operate("GET", "/api/tokens", operatorTokenListSchema);
    const id = tokens.find(({ name }) => name === "test-viewer")?.id;
    await plane.call("DELETE", `/api/tokens/${id}`, { token: await plane.token("admin") });
    expect((await plane.call("GET", "/api/scanners", { headers })).status).toBe(401);
    expect((await plane.call("GET", "/api/session", { headers })).body).toEqual(SIGNED_OUT);
  });

  test("stands in the audit log, and so does each sign-in that failed", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const refused = await signIn(plane, "ptl_op_wrong", { from: "192.0.2.7" });
    expect([refused.status, errorCode(refused), refused.headers.get("set-cookie")]).toEqual([
      401,
      "UNAUTHENTICATED",
      null,
    ]);
    const headers = { Cookie: await signedIn(plane, "viewer"), ...OWN_PAGE };
    await plane.call("DELETE", "/api/session", { headers });
    expect(await auditActions(plane)).toEqual([
      "address:192.0.2.7 session.refused session",
      "operator:test-viewer session.created session:1",
      "operator:test-viewer session.ended session:1",
    ]);
  });

  test("cannot be guessed at: wrong tokens and cookies count alike, and right ones pass", async () => {
    const plane = new TestControlPlane(await openTestStore());
    for (let i = 0; i < 5; i++) {
      expect((await signIn(plane, "ptl_op_wrong")).status).toBe(401);
      const headers = { Cookie: "portolan_session=ptl_ses_wrong" };
      expect((await plane.call("GET", "/api/scanners", { headers })).status).toBe(401);
    }
    const limited = await signIn(plane, "ptl_op_wrong");
    expect([limited.status, errorCode(limited), limited.headers.get("retry-after")]).toEqual([
      429,
      "RATE_LIMITED",
      "60",
    ]);
    expect((await signIn(plane, await plane.token("viewer"))).status).toBe(200);
    expect((await auditActions(plane)).filter((line) => line.includes("refused"))).toHaveLength(5);
  });
});

describeOnSqlite("a session's cookie", (openTestStore) => {
  test("is out of reach for scripts and other sites", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { headers } = await signIn(plane, await plane.token("viewer"));
    expect(headers.get("set-cookie")?.split("; ").slice(1)).toEqual([
      "Max-Age=43200",
      "Path=/",
      "HttpOnly",
      "SameSite=Strict",
    ]);
  });

  test("travels by TLS only, where the browser came by TLS", async () => {
    const proxy = parseNetwork("192.0.2.9");
    if (proxy === undefined) throw new Error("not a network");
    const plane = new TestControlPlane(await openTestStore(), { url: { trustedProxies: [proxy] } });
    const token = await plane.token("viewer");
    const isSecure = async (from: string): Promise<boolean> => {
      const answer = await signIn(plane, token, { from, headers: { "X-Forwarded-Proto": "https" } });
      return answer.headers.get("set-cookie")?.split("; ").includes("Secure") ?? false;
    };
    expect(await isSecure("192.0.2.9")).toBe(true);
    expect(await isSecure("192.0.2.1")).toBe(false);
  });

  test("gives a page of another origin nothing to change", async () => {
    const plane = new TestControlPlane(await openTestStore(), {
      url: { publicUrl: "https://portolan.example.org/base" },
    });
    const cookie = await signedIn(plane, "operator");
    const change = async (headers: Readonly<Record<string, string>>): Promise<number> => {
      const body = { name: `s${crypto.randomUUID()}` };
      const call = { headers: { Cookie: cookie, Host: "control:8420", ...headers }, body };
      const answer = await plane.call("POST", "/api/config/scanners", call);
      if (answer.status !== 201) expect(errorCode(answer)).toBe("FORBIDDEN");
      return answer.status;
    };
    expect(await change({ "Sec-Fetch-Site": "same-origin" })).toBe(201);
    expect(await change({ Origin: "http://control:8420" })).toBe(201);
    expect(await change({ Origin: "https://portolan.example.org" })).toBe(201);
    expect(await change({})).toBe(403);
    expect(await change({ "Sec-Fetch-Site": "same-site" })).toBe(403);
    expect(await change({ "Sec-Fetch-Site": "none" })).toBe(403);
    expect(await change({ "Sec-Fetch-Site": "cross-site", Origin: "http://control:8420" })).toBe(403);
    expect(await change({ Origin: "http://control:8421" })).toBe(403);
    expect(await change({ Origin: "https://control:8420" })).toBe(403);
    expect(await change({ Origin: "null" })).toBe(403);
  });

  test("is neither handed out to another origin nor taken away by one", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const foreign = { "Sec-Fetch-Site": "cross-site" };
    const token = await plane.token("viewer");
    expect(errorCode(await signIn(plane, token, { headers: foreign }))).toBe("FORBIDDEN");
    const headers = { Cookie: await signedIn(plane, "viewer"), ...foreign };
    expect(errorCode(await plane.call("DELETE", "/api/session", { headers }))).toBe("FORBIDDEN");
    expect((await plane.call("GET", "/api/scanners", { headers })).status).toBe(200);
  });

  test("counts for nothing beside a token, and a token needs no origin", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const headers = { Cookie: await signedIn(plane, "viewer") };
    const token = await plane.token("operator");
    const created = await plane.call("POST", "/api/config/scanners", {
      headers,
      token,
      body: { name: "s1" },
    });
    expect(created.status).toBe(201);
    expect((await plane.call("GET", "/api/scanners", { headers, token: "ptl_op_wrong" })).status).toBe(401);
  });

  test("opens nothing to scanners", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const headers = { Cookie: await signedIn(plane, "admin"), ...OWN_PAGE };
    expect((await plane.call("GET", "/scanner/jobs", { headers })).status).toBe(401);
    const { key } = await plane.addScanner("s1");
    expect((await signIn(plane, key)).status).toBe(401);
  });

  test("without one, to ask who is signed in is no failed attempt", async () => {
    const plane = new TestControlPlane(await openTestStore());
    for (let i = 0; i < 20; i++) {
      const answer = await plane.call("GET", "/api/session");
      expect([answer.status, answer.body]).toEqual([200, SIGNED_OUT]);
    }
  });
});
