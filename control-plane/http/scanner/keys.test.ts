import { expect, test } from "bun:test";
import { ACCESS_TOKEN_TTL_SECONDS, KEY_ROTATION_GRACE_MS } from "#shared/protocol/limits.ts";
import {
  scannerCreateResponseSchema,
  type ScannerView,
  scannerViewSchema,
} from "#shared/protocol/operator.ts";
import { rotateKeyResponseSchema, scannerAuthResponseSchema } from "#shared/protocol/scanner.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import {
  type Answer,
  errorCode,
  errorOf,
  TestControlPlane,
  type TestScanner,
} from "../../testing/control-plane.ts";

type Credential = { readonly key: string } | { readonly token: string };

function heartbeat(plane: TestControlPlane, credential: Credential, from = "192.0.2.1"): Promise<Answer> {
  return plane.call("POST", "/scanner/heartbeat", { ...credential, from, body: {} });
}

function act(plane: TestControlPlane, { id }: TestScanner, action: string): Promise<ScannerView> {
  return plane.operate("POST", `/api/config/scanners/${id}/${action}`, scannerViewSchema);
}

async function rotate(plane: TestControlPlane, key: string): Promise<string> {
  const answer = await plane.call("POST", "/scanner/rotate-key", { key });
  return rotateKeyResponseSchema.parse(answer.body).apiKey;
}

async function accessToken(plane: TestControlPlane, key: string): Promise<string> {
  const answer = await plane.call("POST", "/scanner/auth", { key, body: { scanner_version: "1.0" } });
  return scannerAuthResponseSchema.parse(answer.body).access_token;
}

describeOnBothDatabases("rotating a key", (openTestStore) => {
  test("is told with the heartbeat, and keeps the former key until the new one is used", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    expect((await heartbeat(plane, scanner)).body).not.toHaveProperty("rotateKey");
    expect((await act(plane, scanner, "rotate-key")).keyRotationRequestedAt).not.toBeNull();
    expect((await heartbeat(plane, scanner)).body).toMatchObject({ ok: true, rotateKey: true });
    const key = await rotate(plane, scanner.key);
    expect(key).toMatch(/^ptl_key_.{43}$/);
    expect(key).not.toBe(scanner.key);
    // The new one may never have arrived: the former works, and is told again.
    expect((await heartbeat(plane, scanner)).body).toMatchObject({ rotateKey: true });
    const first = await heartbeat(plane, { key });
    expect(first.status).toBe(200);
    expect(first.body).not.toHaveProperty("rotateKey");
    expect(errorOf(await heartbeat(plane, scanner))).toMatchObject({
      code: "INVALID_API_KEY",
      message: expect.stringContaining("was replaced"),
    });
    const view = await plane.operate("GET", `/api/scanners/${scanner.id}`, scannerViewSchema);
    expect(view.keyRotationRequestedAt).toBeNull();
  });

  test("whose answer was lost is repeated with the former key; the lost key never works", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    await act(plane, scanner, "rotate-key");
    const lost = await rotate(plane, scanner.key);
    const second = await rotate(plane, scanner.key);
    expect((await heartbeat(plane, { key: lost })).status).toBe(401);
    expect((await heartbeat(plane, { key: second })).status).toBe(200);
    expect((await heartbeat(plane, scanner)).status).toBe(401);
  });

  test("ends the former key after a day, repeated or not", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    await act(plane, scanner, "rotate-key");
    await rotate(plane, scanner.key);
    plane.store.dialect.shiftClock(KEY_ROTATION_GRACE_MS - 60_000);
    const key = await rotate(plane, scanner.key);
    expect((await heartbeat(plane, scanner)).status).toBe(200);
    plane.store.dialect.shiftClock(60_000);
    expect((await heartbeat(plane, scanner)).status).toBe(401);
    expect((await plane.call("POST", "/scanner/rotate-key", { key: scanner.key })).status).toBe(401);
    expect((await heartbeat(plane, { key })).status).toBe(200);
  });

  test("gives of two calls at the same time two keys, of which the last one works", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    await act(plane, scanner, "rotate-key");
    const keys = await Promise.all([rotate(plane, scanner.key), rotate(plane, scanner.key)]);
    const statuses = [];
    for (const key of keys) statuses.push((await heartbeat(plane, { key })).status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 401]);
  });
});

describeOnSqlite("a new key", (openTestStore) => {
  test("is not given to who was not asked: a stolen key must not be traded for a fresh one", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const answer = await plane.call("POST", "/scanner/rotate-key", { key: scanner.key });
    expect([answer.status, errorCode(answer)]).toEqual([409, "CONFLICT"]);
  });

  test("is not given to who calls from elsewhere, or is disabled, or has no key", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1", { bindingMode: "ip", bindingValue: "203.0.113.5" });
    await act(plane, scanner, "rotate-key");
    const from = (address: string) =>
      plane.call("POST", "/scanner/rotate-key", { key: scanner.key, from: address });
    expect(errorCode(await from("203.0.113.6"))).toBe("IP_BINDING_VIOLATION");
    await act(plane, scanner, "disable");
    expect(errorCode(await from("203.0.113.5"))).toBe("SCANNER_DISABLED");
    expect(errorCode(await plane.call("POST", "/scanner/rotate-key"))).toBe("INVALID_API_KEY");
    const pending = await plane.provision("never-seen");
    const path = `/api/config/scanners/${pending.id}/rotate-key`;
    expect(errorCode(await plane.call("POST", path, { token: await plane.token("operator") }))).toBe(
      "CONFLICT",
    );
  });

  test("is due no more when the scanner was provisioned anew", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    await act(plane, scanner, "rotate-key");
    await rotate(plane, scanner.key);
    const path = `/api/config/scanners/${scanner.id}/regenerate-token`;
    const renewed = await plane.operate("POST", path, scannerCreateResponseSchema);
    expect(renewed.scanner.keyRotationRequestedAt).toBeNull();
    expect((await heartbeat(plane, scanner)).status).toBe(401);
  });
});

describeOnBothDatabases("an access token", (openTestStore) => {
  test("is had for the key, and stands for it for 15 minutes, in all replicas", async () => {
    const store = await openTestStore();
    const [plane, replica] = [new TestControlPlane(store), new TestControlPlane(store)];
    const scanner = await plane.addScanner("s1");
    const answer = await plane.call("POST", "/scanner/auth", { key: scanner.key });
    expect(answer.body).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      token_type: "bearer",
      expires_in: 900,
      scanner_id: scanner.id,
      scanner_name: "s1",
    });
    const token = await accessToken(replica, scanner.key);
    expect((await heartbeat(plane, { token })).status).toBe(200);
    expect((await plane.call("GET", "/scanner/jobs", { token })).status).toBe(200);
    store.dialect.shiftClock(ACCESS_TOKEN_TTL_SECONDS * 1_000);
    const expired = await heartbeat(plane, { token });
    expect([expired.status, errorOf(expired)]).toMatchObject([
      401,
      { code: "INVALID_API_KEY", message: expect.stringContaining("has expired") },
    ]);
  });
});

describeOnSqlite("an access token", (openTestStore) => {
  test("is had at the path of the older protocol too", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const answer = await plane.call("POST", "/api/scanner/auth", { key: scanner.key });
    expect(scannerAuthResponseSchema.parse(answer.body)).toMatchObject({ scanner_id: scanner.id });
    expect((await plane.call("POST", "/api/scanner/auth", { key: "ptl_key_x" })).status).toBe(401);
  });

  test("ends with the key that it stands for", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const token = await accessToken(plane, scanner.key);
    await act(plane, scanner, "rotate-key");
    const key = await rotate(plane, scanner.key);
    expect((await heartbeat(plane, { token })).status).toBe(200);
    const ofNewKey = await accessToken(plane, key);
    expect(errorCode(await heartbeat(plane, { token }))).toBe("INVALID_API_KEY");
    expect((await heartbeat(plane, { token: ofNewKey })).status).toBe(200);
    await plane.call("DELETE", `/api/config/scanners/${scanner.id}`, { token: await plane.token("admin") });
    expect(errorCode(await heartbeat(plane, { token: ofNewKey }))).toBe("INVALID_API_KEY");
  });

  test("is worth no more than the key: binding and state are checked with each call", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1", { bindingMode: "ip", bindingValue: "203.0.113.5" });
    const token = await accessToken(plane, scanner.key);
    expect(errorCode(await heartbeat(plane, { token }, "203.0.113.6"))).toBe("IP_BINDING_VIOLATION");
    expect((await heartbeat(plane, { token }, "203.0.113.5")).status).toBe(200);
    await act(plane, scanner, "disable");
    expect(errorCode(await heartbeat(plane, { token }, "203.0.113.5"))).toBe("SCANNER_DISABLED");
    expect(errorCode(await plane.call("POST", "/scanner/auth", { key: scanner.key }))).toBe(
      "SCANNER_DISABLED",
    );
  });

  test("can be had by a disabled scanner that finishes a job", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    await plane.startScan([scanner]);
    const job = await plane.claim(scanner);
    await act(plane, scanner, "disable");
    const token = await accessToken(plane, scanner.key);
    const body = { leaseId: job.leaseId };
    expect((await plane.call("POST", `/scanner/jobs/${job.jobId}/start`, { token, body })).status).toBe(200);
  });

  test("that was tampered with, signed by another, or unsigned is refused", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const foreign = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const stranger = await foreign.addScanner("s1");
    const token = await accessToken(plane, scanner.key);
    const [header = "", claims = "", signature = ""] = token.split(".");
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const other = JSON.parse(Buffer.from(claims, "base64url").toString());
    const forged = [
      `${header}.${encode({ ...other, sub: "2" })}.${signature}`,
      `${header}.${encode({ ...other, exp: other.exp + 900 })}.${signature}`,
      `${encode({ alg: "none" })}.${claims}.`,
      `${header}.${claims}.`,
      await accessToken(foreign, stranger.key),
      "x.y.z",
    ];
    for (const text of forged) {
      const answer = await heartbeat(plane, { token: text });
      expect([answer.status, errorCode(answer)]).toEqual([401, "INVALID_API_KEY"]);
    }
    expect((await heartbeat(plane, { token })).status).toBe(200);
  });

  test("opens nothing to operators, and an operator's token nothing to scanners", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const token = await accessToken(plane, (await plane.addScanner("s1")).key);
    expect(errorCode(await plane.call("GET", "/api/scanners", { token }))).toBe("UNAUTHENTICATED");
    const operator = await plane.token("admin");
    expect(errorCode(await heartbeat(plane, { token: operator }))).toBe("INVALID_API_KEY");
  });

  test("is refused at the eleventh attempt within a minute from one address, however good the key", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    for (let i = 0; i < 10; i++) await accessToken(plane, scanner.key);
    const limited = await plane.call("POST", "/scanner/auth", { key: scanner.key });
    expect([limited.status, limited.headers.get("retry-after"), errorOf(limited)]).toMatchObject([
      429,
      "60",
      { code: "RATE_LIMITED", message: "Rate limit exceeded. Maximum 10 attempts per minute." },
    ]);
    expect((await heartbeat(plane, scanner)).status).toBe(200);
    plane.clock.advance(60_000);
    await accessToken(plane, scanner.key);
  });

  test("costs ten wrong keys, not five, before the address is refused", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const statuses = [];
    for (let i = 0; i < 11; i++) {
      statuses.push((await plane.call("POST", "/scanner/auth", { key: "ptl_key_x" })).status);
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
  });

  test("that has expired does not count as an attempt to guess", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const token = await accessToken(plane, scanner.key);
    plane.store.dialect.shiftClock(ACCESS_TOKEN_TTL_SECONDS * 1_000);
    for (let i = 0; i < 12; i++) expect((await heartbeat(plane, { token })).status).toBe(401);
  });

  test("is not in the log, nor is the key that signs it", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const token = await accessToken(plane, (await plane.addScanner("s1")).key);
    await heartbeat(plane, { token });
    expect(JSON.stringify(plane.logged)).not.toContain(token);
  });
});
