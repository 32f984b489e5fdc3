import { expect, test } from "bun:test";
import {
  enrolmentTokenCreateResponseSchema,
  type EnrolmentTokenCreateResponse,
  enrolmentTokenListSchema,
} from "#shared/protocol/enrolment.ts";
import { PROVISIONING_TOKEN_TTL_MS } from "#shared/protocol/limits.ts";
import { type ScannerView, scannerViewSchema } from "#shared/protocol/operator.ts";
import { type RegisterResponse, registerResponseSchema } from "#shared/protocol/scanner.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import { type Answer, errorCode, errorOf, TestControlPlane } from "../../testing/control-plane.ts";

const PATH = "/api/config/enrolment-tokens";

function createToken(
  plane: TestControlPlane,
  name: string,
  settings: object = {},
): Promise<EnrolmentTokenCreateResponse> {
  return plane.operate("POST", PATH, enrolmentTokenCreateResponseSchema, { name, ...settings });
}

let hosts = 0;
/** Each from its own address: registrations from one are limited. */
function register(
  plane: TestControlPlane,
  token: string,
  hostname: string,
  installId: string = crypto.randomUUID(),
): Promise<Answer> {
  hosts++;
  const from = `198.51.100.${hosts % 256}`;
  return plane.call("POST", "/scanner/register", { from, body: { token, installId, hostname } });
}

async function enrol(plane: TestControlPlane, token: string, hostname: string): Promise<RegisterResponse> {
  return registerResponseSchema.parse((await register(plane, token, hostname)).body);
}

function view(plane: TestControlPlane, id: number): Promise<ScannerView> {
  return plane.operate("GET", `/api/scanners/${id}`, scannerViewSchema);
}

function act(plane: TestControlPlane, id: number, action: string): Promise<ScannerView> {
  return plane.operate("POST", `/api/config/scanners/${id}/${action}`, scannerViewSchema);
}

async function heartbeat(plane: TestControlPlane, key: string): Promise<number> {
  return (await plane.call("POST", "/scanner/heartbeat", { key, body: {} })).status;
}

describeOnBothDatabases("a host with an enrolment token", (openTestStore) => {
  test("becomes a scanner named after it, which waits for approval", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await createToken(plane, "rack-7", { bindingMode: "subnet", rateLimit: 500 });
    expect(token).toMatch(/^ptl_enrol_.{43}$/);
    const { scannerId, name, apiKey } = await enrol(plane, token, "web1.example.org");
    expect(name).toBe("web1-example-org");
    expect(await view(plane, scannerId)).toMatchObject({
      name,
      status: "unapproved",
      rateLimit: 500,
      binding: { mode: "subnet", value: null },
      hostname: "web1.example.org",
      createdBy: "enrolment:rack-7",
    });
    expect(await heartbeat(plane, apiKey)).toBe(200);
    expect((await view(plane, scannerId)).status).toBe("unapproved");
    const poll = await plane.call("GET", "/scanner/jobs", { key: apiKey });
    expect([poll.status, errorCode(poll)]).toEqual([403, "SCANNER_NOT_APPROVED"]);
  });

  test("gets jobs once it is approved, and none once the approval is revoked", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await createToken(plane, "rack-7");
    const { scannerId: id, name, apiKey: key } = await enrol(plane, token, "web1");
    const refused = await plane.call("POST", "/api/scans", {
      token: await plane.token("operator"),
      body: { scannerIds: [id], targets: ["10.0.0.0/28"], ports: "22" },
    });
    expect(refused.status).toBe(409);
    expect((await act(plane, id, "approve")).status).toBe("active");
    const scanner = { id, name, key };
    await plane.startScan([scanner]);
    const job = await plane.claim(scanner);
    expect((await act(plane, id, "revoke")).status).toBe("unapproved");
    expect(errorCode(await plane.jobCall(scanner, job, "start"))).toBe("SCANNER_NOT_APPROVED");
    expect(errorCode(await plane.call("GET", "/scanner/jobs", { key }))).toBe("SCANNER_NOT_APPROVED");
    expect(await heartbeat(plane, key)).toBe(200);
    await act(plane, id, "approve");
    expect((await plane.jobCall(scanner, job, "start")).status).toBe(200);
  });

  test("whose name is taken gets one with a number", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await createToken(plane, "rack-7");
    await plane.provision("web1");
    const names = [];
    for (const hostname of [
      "web1",
      "web1",
      "WEB1",
      "",
      "Ünïcode; rm -rf /",
      "-".repeat(255),
      "a".repeat(255),
    ])
      names.push((await enrol(plane, token, hostname)).name);
    expect(names).toEqual([
      "web1-2",
      "web1-3",
      "WEB1",
      "scanner",
      "n-code-rm-rf",
      "scanner-2",
      "a".repeat(94),
    ]);
  });

  test("and the same install id is the same scanner within the hour, with a fresh key", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await createToken(plane, "rack-7", { maxUses: 1 });
    const installId = crypto.randomUUID();
    const answers = [];
    for (let i = 0; i < 2; i++) {
      answers.push(registerResponseSchema.parse((await register(plane, token, "web1", installId)).body));
    }
    const [first, second] = answers;
    expect(second?.scannerId).toBe(first?.scannerId ?? 0);
    expect(await heartbeat(plane, first?.apiKey ?? "")).toBe(401);
    expect(await heartbeat(plane, second?.apiKey ?? "")).toBe(200);
    plane.store.dialect.shiftClock(PROVISIONING_TOKEN_TTL_MS);
    expect(errorOf(await register(plane, token, "web1", installId)).message).toContain("as many hosts");
  });

  test("at the same time as others gets in as often as the token says, each with its own name", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await createToken(plane, "rack-7", { maxUses: 3 });
    const answers = await Promise.all(Array.from({ length: 6 }, () => register(plane, token, "web1")));
    const good = answers.filter(({ status }) => status === 200);
    const names = good.map(({ body }) => registerResponseSchema.parse(body).name);
    expect(names.toSorted()).toEqual(["web1", "web1-2", "web1-3"]);
    expect(new Set(answers.filter((answer) => !good.includes(answer)).map(errorCode))).toEqual(
      new Set(["INVALID_PROVISIONING_TOKEN"]),
    );
  });
});

describeOnBothDatabases("enrolment tokens", (openTestStore) => {
  test("are made, listed without their secret, and revoked", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const created = await createToken(plane, "rack-7", { expiresInSeconds: 3_600, maxUses: 2 });
    expect(created).toMatchObject({
      enrolmentToken: { name: "rack-7", uses: 0, maxUses: 2, status: "usable", lastUsedAt: null },
      installCommand: `curl -fsSL -H 'Authorization: Bearer ${created.token}' 'http://localhost/scanner/install' | sudo sh`,
    });
    await enrol(plane, created.token, "web1");
    const { enrolmentTokens } = await plane.operate("GET", PATH, enrolmentTokenListSchema);
    expect(enrolmentTokens).toMatchObject([{ name: "rack-7", uses: 1, status: "usable" }]);
    expect(JSON.stringify(enrolmentTokens)).not.toContain("ptl_enrol_");
    const { id } = created.enrolmentToken;
    const token = await plane.token("operator");
    expect((await plane.call("DELETE", `${PATH}/${id}`, { token })).status).toBe(204);
    expect(errorCode(await plane.call("DELETE", `${PATH}/${id}`, { token }))).toBe("NOT_FOUND");
    expect(errorOf(await register(plane, created.token, "web2")).message).toContain("was revoked");
    expect((await plane.operate("GET", PATH, enrolmentTokenListSchema)).enrolmentTokens).toEqual([]);
    // The name is free again.
    await createToken(plane, "rack-7");
  });

  test("say why they do not serve", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const expired = await createToken(plane, "short", { expiresInSeconds: 60 });
    const used = await createToken(plane, "once", { maxUses: 1 });
    await enrol(plane, used.token, "web1");
    expect(errorOf(await register(plane, used.token, "web2")).message).toContain("as many hosts");
    plane.store.dialect.shiftClock(60_000);
    expect(errorOf(await register(plane, expired.token, "web2")).message).toContain("has expired");
    expect(errorOf(await register(plane, "ptl_enrol_never", "web2"))).toMatchObject({
      code: "INVALID_PROVISIONING_TOKEN",
      message: expect.stringContaining("is unknown"),
    });
    const { enrolmentTokens } = await plane.operate("GET", PATH, enrolmentTokenListSchema);
    expect(enrolmentTokens.map(({ name, status }) => [name, status])).toEqual([
      ["once", "used-up"],
      ["short", "expired"],
    ]);
  });
});

describeOnSqlite("an enrolment token", (openTestStore) => {
  test("serves for the install line: script and binary, until it is used up and the hour has passed", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await createToken(plane, "rack-7", { maxUses: 1 });
    const install = () => plane.call("GET", "/scanner/install", { token });
    expect(String((await install()).body)).toContain(`PORTOLAN_TOKEN='${token}'\n`);
    expect(errorCode(await plane.call("GET", "/scanner/binary/linux/amd64", { token }))).toBe(
      "BINARY_NOT_BUILT",
    );
    await enrol(plane, token, "web1");
    expect((await install()).status).toBe(200);
    plane.store.dialect.shiftClock(PROVISIONING_TOKEN_TTL_MS);
    expect(errorCode(await install())).toBe("INVALID_PROVISIONING_TOKEN");
    expect((await plane.call("GET", "/scanner/install", { token: "ptl_enrol_x" })).status).toBe(401);
  });

  test.each([
    [{ name: "under_score" }, "name"],
    [{ name: "a", maxUses: 0 }, "maxUses"],
    [{ name: "a", maxUses: 10_001 }, "maxUses"],
    [{ name: "a", expiresInSeconds: 59 }, "expiresInSeconds"],
    [{ name: "a", rateLimit: 100_001 }, "rateLimit"],
    [{ name: "a", bindingMode: "asn" }, "no ASN database"],
    [{ name: "a", bindingValue: "192.0.2.1" }, "bindingValue"],
  ])("is refused as %j, saying what is wrong", async (body, why) => {
    const plane = new TestControlPlane(await openTestStore());
    const answer = await plane.call("POST", PATH, { token: await plane.token("operator"), body });
    expect([answer.status, errorCode(answer)]).toEqual([400, "INVALID_REQUEST"]);
    expect(errorOf(answer).message).toContain(why);
  });

  test("takes each name once, and changes are for operators", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await createToken(plane, "rack-7");
    const post = async (role: "viewer" | "operator") =>
      errorCode(await plane.call("POST", PATH, { token: await plane.token(role), body: { name: "rack-7" } }));
    expect([await post("operator"), await post("viewer")]).toEqual(["CONFLICT", "FORBIDDEN"]);
  });

  test("leaves its hash only, and each use a line in the audit log", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await createToken(plane, "rack-7");
    const { scannerId, apiKey } = await enrol(plane, token, "web1");
    await act(plane, scannerId, "approve");
    await act(plane, scannerId, "revoke");
    const rows = await plane.store.run(({ db }) => db.selectFrom("audit").selectAll().execute());
    expect(rows.map(({ action }) => action)).toEqual([
      "token.created",
      "enrolment-token.created",
      "scanner.enrolled",
      "scanner.approved",
      "scanner.approval-revoked",
    ]);
    const tokens = await plane.store.run(({ db }) => db.selectFrom("enrolment_tokens").selectAll().execute());
    for (const secret of [token, apiKey]) {
      expect(JSON.stringify([rows, tokens, plane.logged])).not.toContain(secret);
    }
  });

  test("adds no scanner beyond the 10,000th, nor does an operator", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await createToken(plane, "rack-7");
    const row = { description: "", rate_limit: 0, binding_mode: "none", created_by: "test" } as const;
    const add = (first: number, count: number) =>
      plane.store.run(({ db }) =>
        db
          .insertInto("scanners")
          .values(Array.from({ length: count }, (_, i) => ({ ...row, name: `n${first + i}`, created_at: 0 })))
          .execute(),
      );
    for (let first = 0; first < 10_000; first += 1_000) await add(first, first === 9_000 ? 999 : 1_000);
    expect((await register(plane, token, "last")).status).toBe(200);
    const refused = await register(plane, token, "more");
    expect([refused.status, errorCode(refused)]).toEqual([409, "LIMIT_REACHED"]);
    const body = { name: "more" };
    const byHand = await plane.call("POST", "/api/config/scanners", {
      token: await plane.token("operator"),
      body,
    });
    expect([byHand.status, errorCode(byHand)]).toEqual([409, "LIMIT_REACHED"]);
    const { enrolmentTokens } = await plane.operate("GET", PATH, enrolmentTokenListSchema);
    expect(enrolmentTokens).toMatchObject([{ uses: 1 }]);
  });

  test("approves nobody who has never registered", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { id } = await plane.provision("s1");
    const path = `/api/config/scanners/${id}/approve`;
    expect(errorCode(await plane.call("POST", path, { token: await plane.token("operator") }))).toBe(
      "CONFLICT",
    );
  });
});
