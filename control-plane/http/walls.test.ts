/**
 * What every call must withstand, for every call that /openapi.json describes: a route is under test here from the
 * moment it is there. A call that is refused stores nothing.
 */

import { expect, setDefaultTimeout, test } from "bun:test";
import { z } from "zod";
import { openStore } from "../store/store.ts";
import { digestTables } from "../store/testing/digest.ts";
import { describeOnSqlite } from "../store/testing/stores.ts";
import { type Answer, errorCode, TestControlPlane } from "../testing/control-plane.ts";
import {
  bodyTypes,
  DocumentedCaller,
  parametersOf,
  schemesOf,
  type Variation,
} from "../testing/documented-calls.ts";
import { isJson, typesOf, withValueAt } from "../testing/sample-values.ts";
import { maxBodyBytes } from "./body-limit.ts";
import { createDocument } from "./openapi.ts";
import { callsOf, type DocumentedCall, METHODS, patternOf } from "./openapi/document.ts";
import { SESSION_COOKIE } from "./session-cookie.ts";

setDefaultTimeout(60_000);

const CALLS = callsOf(createDocument(new TestControlPlane(openStore(":memory:")).app));
const GUARDED = CALLS.filter((call) => schemesOf(call).length > 0);
const WITH_BODY = CALLS.filter(({ operation }) => operation.requestBody !== undefined);
const WITH_JSON = WITH_BODY.filter((call) => bodyTypes(call).includes("application/json"));
const FOR_OPERATORS = GUARDED.filter((call) => schemesOf(call).includes("operatorToken"));
const FOR_SCANNERS = GUARDED.filter(
  (call) => !schemesOf(call).some((scheme) => scheme.startsWith("operator")),
);

const NO_IDS = [
  "0",
  "-1",
  "1.5",
  "abc",
  "0x1",
  "1e3",
  " 1",
  "1 or 1=1",
  "1;drop table scans",
  "١",
  "9007199254740991",
  "9007199254740993",
  "99999999999999999999999999",
  "\0",
  "../1",
];

const issuesSchema = z.object({
  error: z.object({
    details: z.object({ issues: z.array(z.object({ path: z.string(), message: z.string() })) }),
  }),
});

/** The fields that an answer calls wrong. */
function issuesOf({ body }: Answer): { path: string; message: string }[] {
  return issuesSchema.safeParse(body).data?.error.details.issues ?? [];
}

describeOnSqlite("every call", (openTestStore) => {
  const start = async () => {
    const plane = new TestControlPlane(await openTestStore());
    return { plane, caller: await DocumentedCaller.start(plane) };
  };

  /** Sends it, and fails unless it is answered with one of these and has changed nothing. */
  const refused = (plane: TestControlPlane, caller: DocumentedCaller) => ({
    async send(call: DocumentedCall, variation: Variation, ...statuses: readonly number[]): Promise<Answer> {
      const answer = await caller.send(call, variation);
      if (!statuses.includes(answer.status)) {
        const what = `${call.method} ${call.path} with ${JSON.stringify(variation).slice(0, 300)}`;
        throw new Error(
          `${what} answered ${answer.status}, not ${statuses.join(" or ")}: ${JSON.stringify(answer.body)}`,
        );
      }
      return answer;
    },
    /** For all that was sent in the meantime. */
    async changesNothing(call: DocumentedCall, work: () => Promise<void>): Promise<void> {
      const before = await digestTables(plane.store);
      await work();
      expect([call.method, call.path, await digestTables(plane.store)]).toEqual([
        call.method,
        call.path,
        before,
      ]);
    },
  });

  test("is refused without a credential, whatever else is wrong with it", async () => {
    const { plane, caller } = await start();
    const wall = refused(plane, caller);
    for (const call of GUARDED.filter((one) => one.path !== "/api/session")) {
      await wall.changesNothing(call, async () => {
        await wall.send(call, { anonymous: true }, 401);
        await wall.send(
          call,
          { anonymous: true, parameters: { id: "x" }, text: "{", headers: JSON_TYPE },
          401,
        );
        await wall.send(call, { anonymous: true, token: "ptl_op_wrong" }, 401);
        await wall.send(call, { anonymous: true, key: "ptl_key_wrong" }, 401);
        await wall.send(call, { anonymous: true, headers: { Cookie: `${SESSION_COOKIE}=wrong` } }, 401, 403);
      });
    }
  });

  test("of an operator is refused to a scanner, and of a scanner to an operator", async () => {
    const { plane, caller } = await start();
    const wall = refused(plane, caller);
    const { key } = await plane.addScanner("other");
    const admin = await plane.token("admin");
    for (const call of FOR_OPERATORS) {
      await wall.changesNothing(call, async () => {
        await wall.send(call, { anonymous: true, key }, 401);
        await wall.send(call, { anonymous: true, token: key }, 401);
      });
    }
    for (const call of FOR_SCANNERS) {
      await wall.changesNothing(call, async () => {
        await wall.send(call, { anonymous: true, token: admin }, 401);
        await wall.send(call, { anonymous: true, key: admin }, 401);
      });
    }
  });

  test("that changes anything is refused to a viewer", async () => {
    const { plane, caller } = await start();
    const wall = refused(plane, caller);
    const viewer = await plane.token("viewer");
    for (const call of FOR_OPERATORS.filter(({ method }) => method !== "GET")) {
      await wall.changesNothing(call, async () => {
        const answer = await wall.send(call, { ...caller.sampleRequest(call), token: viewer }, 403);
        expect(errorCode(answer)).toBe("FORBIDDEN");
      });
    }
  });

  test("that takes JSON refuses what is none", async () => {
    const { plane, caller } = await start();
    const wall = refused(plane, caller);
    const deep = "[".repeat(20_000);
    for (const call of WITH_JSON) {
      await wall.changesNothing(call, async () => {
        for (const text of ["{", "{oops}", "{'a':1}", "[1,]", "\u0000", "NaN", deep, `{"a":${deep}`])
          await wall.send(call, { text, headers: JSON_TYPE }, 400);
        await wall.send(call, { text: deep + "]".repeat(20_000), headers: JSON_TYPE }, 400);
      });
    }
  });

  test("refuses a body of another content type than it takes", async () => {
    const { plane, caller } = await start();
    const wall = refused(plane, caller);
    for (const call of WITH_BODY) {
      const { body, text = JSON.stringify(body) } = caller.sampleRequest(call);
      await wall.changesNothing(call, async () => {
        for (const type of [
          "text/plain",
          "application/x-www-form-urlencoded",
          "application/xml",
          "multipart/form-data",
        ]) {
          const answer = await wall.send(call, { text, headers: { "Content-Type": type } }, 415);
          expect(errorCode(answer)).toBe("UNSUPPORTED_MEDIA_TYPE");
        }
      });
    }
  });

  test("refuses a body that is larger than it may be", async () => {
    const { plane, caller } = await start();
    const wall = refused(plane, caller);
    for (const call of WITH_BODY) {
      const text = "x".repeat(maxBodyBytes(call.path.replace(/\{\w+\}/, "1")) + 1);
      await wall.changesNothing(call, async () => {
        const answer = await wall.send(call, { text, headers: JSON_TYPE }, 413);
        expect(errorCode(answer)).toBe("BODY_TOO_LARGE");
      });
    }
  });

  test("refuses a value of a wrong type in any field, and names the field", async () => {
    const { plane, caller } = await start();
    const wall = refused(plane, caller);
    let sent = 0;
    for (const call of WITH_JSON) {
      const schema = caller.bodySchema(call);
      const sample = caller.sampleBody(call);
      await wall.changesNothing(call, async () => {
        for (const { at, value } of caller.samples.wrongValues(schema, sample)) {
          const answer = await wall.send(call, { body: withValueAt(sample, at, value) }, 400);
          const where = at.join(".");
          const named = issuesOf(answer).filter(
            ({ path }) => where === path || where.startsWith(`${path}.`) || path === "",
          );
          expect([call.path, where, value, named.length > 0]).toEqual([call.path, where, value, true]);
          sent++;
        }
      });
    }
    expect(sent).toBeGreaterThan(100);
  });

  test("of an operator refuses fields that it does not know, and names them", async () => {
    const { plane, caller } = await start();
    const wall = refused(plane, caller);
    for (const call of FOR_OPERATORS.filter((call) => WITH_JSON.includes(call))) {
      const sample = caller.sampleBody(call);
      await wall.changesNothing(call, async () => {
        for (const name of ["surprise", "__proto__", "isAdmin"]) {
          const text = `{${JSON.stringify(name)}:1,${JSON.stringify(sample).slice(1)}`;
          const answer = await wall.send(call, { text, headers: JSON_TYPE }, 400);
          expect([call.path, JSON.stringify(issuesOf(answer))]).toEqual([
            call.path,
            expect.stringContaining(name),
          ]);
        }
      });
    }
  });

  test("refuses ids that are no ids, huge or negative", async () => {
    const { plane, caller } = await start();
    const wall = refused(plane, caller);
    for (const call of CALLS) {
      const numbers = parametersOf(call).filter((one) => one.in === "path" && isNumber(one.schema));
      await wall.changesNothing(call, async () => {
        for (const { name } of numbers) {
          for (const text of NO_IDS)
            await wall.send(call, { ...caller.sampleRequest(call), parameters: { [name]: text } }, 400, 404);
        }
      });
    }
  });

  test("refuses numbers in its query that are none", async () => {
    const { plane, caller } = await start();
    const wall = refused(plane, caller);
    for (const call of CALLS) {
      const numbers = parametersOf(call).filter((one) => one.in === "query" && isNumber(one.schema));
      for (const { name } of numbers) {
        for (const text of [
          "",
          "-1",
          "1.5",
          "abc",
          "0x1",
          "1e3",
          "99999999999999999999",
          "1;drop table scans",
        ])
          await wall.send(call, { query: { [name]: text } }, 400);
      }
    }
  });

  test("answers a method that it has not with 405 and those that it has", async () => {
    const { plane, caller } = await start();
    const token = await plane.token("admin");
    for (const call of CALLS) {
      const credential = /^\/(?:api\/)?scanner\//.test(call.path) ? {} : { token };
      const here = CALLS.filter(({ path }) => patternOf(path).test(call.path)).map(({ method }) => method);
      const others = [...METHODS.map((method) => method.toUpperCase()), "OPTIONS"].filter(
        (method) => !here.includes(method),
      );
      for (const method of others) {
        const answer = await caller.send({ ...call, method }, credential);
        expect([method, call.path, answer.status]).toEqual([method, call.path, 405]);
        const allowed = (answer.headers.get("allow") ?? "").split(", ");
        expect([call.path, allowed]).toEqual([call.path, expect.arrayContaining(here)]);
        expect([call.path, allowed]).not.toEqual([call.path, expect.arrayContaining([method])]);
      }
    }
  });
});

const JSON_TYPE = { "Content-Type": "application/json" };

function isNumber(schema: unknown): boolean {
  return isJson(schema) && typesOf(schema).some((type) => type === "integer" || type === "number");
}
