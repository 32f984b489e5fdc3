/**
 * SQL, script and control characters in every text that a call takes, for every call of /openapi.json: it is taken as
 * the text that it is, or refused, and never breaks anything. A call that is refused stores nothing. On a failure
 * fast-check prints the seed with which it can be repeated.
 */

import { expect, setDefaultTimeout, test } from "bun:test";
import * as fc from "fast-check";
import { z } from "zod";
import { resultListSchema } from "#shared/protocol/operator.ts";
import { openStore, type Store } from "../store/store.ts";
import { digestTables } from "../store/testing/digest.ts";
import { describeOnBothDatabases } from "../store/testing/stores.ts";
import { type Answer, errorOf, TestControlPlane } from "../testing/control-plane.ts";
import { DocumentedCaller, parametersOf, type Variation } from "../testing/documented-calls.ts";
import { hostileText, hostileValue } from "../testing/hostile-values.ts";
import { placesOfTexts, withValueAt } from "../testing/sample-values.ts";
import { createDocument } from "./openapi.ts";
import { callsOf, type DocumentedCall } from "./openapi/document.ts";
import { SESSION_COOKIE } from "./session-cookie.ts";

setDefaultTimeout(60_000);

const RUNS_PER_CALL = 10;
const ONE_OF_EACH_KIND = [
  "'; drop table scanners; --",
  "<script>alert(1)</script>",
  "a\0b",
  "\ud800",
  "%",
  "\u202e",
];
/** What is said of the control plane itself: without a database, and of an agent that is not built here. */
const MEANT = new Set([501, 503]);

const namedSchema = z.object({ info: z.looseObject({ name: z.string() }) });
const OPEN_PORT = {
  port: 22,
  protocol: "tcp",
  state: "open",
  reason: "syn-ack",
  observedAt: "2026-01-27T10:30:00Z",
};

/** In an order in which a call leaves standing what those after it need. */
const CALLS = callsOf(createDocument(new TestControlPlane(openStore(":memory:")).app)).toSorted(
  (a, b) => rankOf(a) - rankOf(b),
);

function rankOf({ method, path }: DocumentedCall): number {
  if (method === "GET") return 0;
  if (path.startsWith("/api/tokens")) return 5;
  if (method === "DELETE") return 4;
  if (path.startsWith("/scanner/")) return 2;
  return /^\/api\/(?:config|networks)/.test(path) && !path.includes("{") ? 1 : 3;
}

describeOnBothDatabases("hostile text", (openTestStore) => {
  const start = async () => {
    const plane = new TestControlPlane(await openTestStore());
    const caller = await DocumentedCaller.start(plane);
    return { plane, caller, attacker: new Attacker(plane.store, caller) };
  };

  test("in a body is kept as text or refused", async () => {
    const { plane, caller, attacker } = await start();
    let accepted = 0;
    for (const call of CALLS) {
      const schema = caller.bodySchema(call);
      if (schema === undefined) continue;
      const property = fc.asyncProperty(hostileValue(caller.samples, schema), async (body) => {
        if ((await attacker.send(call, { body })).status < 300) accepted++;
      });
      await fc.assert(property, { numRuns: RUNS_PER_CALL });
    }
    expect(accepted).toBeGreaterThan(CALLS.length / 4);
    await isWhole(plane);
  });

  test("in any one field of a body is kept as text or refused", async () => {
    const { plane, caller, attacker } = await start();
    for (const call of CALLS) {
      const sample = caller.sampleBody(call);
      for (const place of placesOfTexts(sample)) {
        for (const text of ONE_OF_EACH_KIND)
          await attacker.send(call, { body: withValueAt(sample, place, text) });
      }
    }
    await isWhole(plane);
  });

  test("is kept as it is, but for what no database keeps: refused to operators, replaced where it was observed", async () => {
    const { plane } = await start();
    const token = await plane.token("admin");
    for (const text of ["'; drop table scanners; --", "<script>alert(1)</script>", "%00 漢 🧭 \u202e"]) {
      const named = await plane.operate("POST", "/api/tokens", namedSchema, { name: text, role: "viewer" });
      expect(named.info.name).toBe(text);
    }
    for (const name of ["a\0b", "\ud800"]) {
      const refused = await plane.call("POST", "/api/tokens", { token, body: { name, role: "viewer" } });
      expect(errorOf(refused)).toMatchObject({
        code: "INVALID_REQUEST",
        message: "name: must not contain NUL or half characters",
      });
    }
    const scanner = await plane.addScanner("s3");
    const scan = await plane.startScan([scanner]);
    const job = await plane.claim(scanner);
    const result = { ...OPEN_PORT, address: "10.0.0.1", banner: "5.7\0\u0001\ud800 mysql" };
    const taken = await plane.jobCall(scanner, job, "results", { batch: 1, results: [result] });
    expect(taken.status).toBe(200);
    const { results } = await plane.operate("GET", `/api/scans/${scan.id}/results`, resultListSchema);
    expect(results).toMatchObject([{ address: "10.0.0.1", banner: "5.7\ufffd\u0001\ufffd mysql" }]);
  });

  test("in a path or a query names nothing or is refused", async () => {
    const { plane, caller, attacker } = await start();
    for (const call of CALLS) {
      const inAddress = parametersOf(call).filter((parameter) => parameter.in !== "header");
      const property = fc.asyncProperty(
        fc.constantFrom(...inAddress, undefined),
        hostileText,
        async (parameter, text) => {
          if (parameter === undefined) return;
          const where = parameter.in === "path" ? "parameters" : "query";
          await attacker.send(call, {
            ...caller.sampleRequest(call),
            [where]: { [parameter.name]: text },
          });
        },
      );
      if (inAddress.length > 0) await fc.assert(property, { numRuns: RUNS_PER_CALL });
    }
    await isWhole(plane);
  });

  test("in a credential opens nothing", async () => {
    const { plane, caller } = await start();
    const before = await digestOf(plane.store);
    for (const call of CALLS.filter((one) => asksCredential(one) && !isSignOut(one))) {
      for (const text of [
        "' or '1'='1",
        "ptl_op_' or 1=1 --",
        "eyJhbGciOiJub25lIn0.e30.",
        "x".repeat(8_000),
      ]) {
        for (const headers of [
          { Authorization: `Bearer ${text}` },
          { "X-API-Key": text },
          { "X-Provisioning-Token": text },
          { Cookie: `${SESSION_COOKIE}=${encodeURIComponent(text)}` },
        ]) {
          const { status } = await caller.send(call, { anonymous: true, headers });
          expect([call.method, call.path, [401, 403].includes(status)]).toEqual([
            call.method,
            call.path,
            true,
          ]);
        }
      }
    }
    expect(await digestOf(plane.store)).toBe(before);
    await isWhole(plane);
  });
});

const asksCredential = ({ operation }: DocumentedCall) => (operation.security ?? []).length > 0;
/** Whoever is not signed in may sign out. */
const isSignOut = ({ method, path }: DocumentedCall) => method === "DELETE" && path === "/api/session";

/** Sends calls, and fails when one breaks something, or is refused and has stored something all the same. */
class Attacker {
  private readonly store: Store;
  private readonly caller: DocumentedCaller;
  /** What was stored when last looked at, unless a call was accepted since. */
  private stored: string | undefined;

  constructor(store: Store, caller: DocumentedCaller) {
    this.store = store;
    this.caller = caller;
  }

  async send(call: DocumentedCall, variation: Variation): Promise<Answer> {
    const before = this.stored ?? (await digestOf(this.store));
    const answer = await this.caller.send(call, variation);
    const name = `${call.method} ${call.path}`;
    if (answer.status >= 500 && !MEANT.has(answer.status))
      throw new Error(`${name} answered ${answer.status} to ${JSON.stringify(variation)}`);
    this.stored = answer.status < 400 ? undefined : await digestOf(this.store);
    if (this.stored !== undefined) expect([name, this.stored]).toEqual([name, before]);
    return answer;
  }
}

/** Looked at on SQLite only: what is refused before it gets to the database is refused on both. */
async function digestOf(store: Store): Promise<string> {
  return store.dialect.kind === "sqlite" ? digestTables(store) : "";
}

/** Nothing was dropped, and what was kept can be read. */
async function isWhole(plane: TestControlPlane): Promise<void> {
  const { scanners } = await plane.operate(
    "GET",
    "/api/scanners",
    z.looseObject({ scanners: z.array(z.unknown()) }),
  );
  expect(scanners.length).toBeGreaterThan(0);
  const audit = await plane.operate("GET", "/api/audit/verify", z.looseObject({ ok: z.boolean() }));
  expect(audit).toMatchObject({ ok: true, violations: [] });
}
