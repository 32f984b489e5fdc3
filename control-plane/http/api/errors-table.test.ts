/**
 * The tables of error codes that clients are written by, a test for each row: the scanner API's, and the quick
 * reference of Open Port Monitor's troubleshooting guide, whose agents act on the status alone.
 */

import { describe, expect, test } from "bun:test";
import {
  ACCESS_TOKEN_TTL_SECONDS,
  AUTH_ATTEMPTS_PER_MINUTE,
  MAX_BODY_BYTES,
} from "#shared/protocol/limits.ts";
import { ERROR_STATUS, type ErrorCode } from "#shared/protocol/errors.ts";
import { scannerViewSchema } from "#shared/protocol/operator.ts";
import { scannerAuthResponseSchema } from "#shared/protocol/scanner.ts";
import { WIRE_VERSION_HEADER } from "#shared/protocol/version.ts";
import { openStore } from "../../store/store.ts";
import { describeOnSqlite, type OpenTestStore } from "../../store/testing/stores.ts";
import { type Answer, errorOf, TestControlPlane, type TestScanner } from "../../testing/control-plane.ts";

interface Row {
  readonly status: number;
  readonly code: ErrorCode;
  /** When it is answered, in the words of the table. */
  readonly when: string;
  provoke(plane: TestControlPlane, scanner: TestScanner): Promise<Answer>;
}

const heartbeat = (plane: TestControlPlane, key: string, from?: string) =>
  plane.call("POST", "/scanner/heartbeat", { key, body: {}, ...(from === undefined ? {} : { from }) });

/** A token that stands for the key. */
async function accessToken(plane: TestControlPlane, { key }: TestScanner): Promise<string> {
  const answer = await plane.call("POST", "/api/scanner/auth", { key });
  return scannerAuthResponseSchema.parse(answer.body).access_token;
}

async function knock(plane: TestControlPlane, times: number): Promise<Answer> {
  for (let attempt = 1; attempt < times; attempt++) await heartbeat(plane, "ptl_key_wrong");
  return heartbeat(plane, "ptl_key_wrong");
}

const SCANNER_API: readonly Row[] = [
  {
    status: 401,
    code: "INVALID_API_KEY",
    when: "the key is unknown",
    provoke: (plane) => heartbeat(plane, "ptl_key_wrong"),
  },
  {
    status: 401,
    code: "INVALID_API_KEY",
    when: "the token has expired",
    async provoke(plane, scanner) {
      const token = await accessToken(plane, scanner);
      expect((await plane.call("GET", "/scanner/jobs", { token })).status).toBe(200);
      plane.store.dialect.shiftClock(ACCESS_TOKEN_TTL_SECONDS * 1_000 + 1_000);
      return plane.call("GET", "/scanner/jobs", { token });
    },
  },
  {
    status: 401,
    code: "INVALID_PROVISIONING_TOKEN",
    when: "the one-time token is none",
    provoke: (plane) =>
      plane.call("POST", "/scanner/register", {
        body: { token: "ptl_prov_x", installId: crypto.randomUUID() },
      }),
  },
  {
    status: 403,
    code: "SCANNER_DISABLED",
    when: "an operator disabled the scanner",
    async provoke(plane, { id, key }) {
      await plane.operate("POST", `/api/config/scanners/${id}/disable`, scannerViewSchema);
      return heartbeat(plane, key);
    },
  },
  {
    status: 403,
    code: "IP_BINDING_VIOLATION",
    when: "the scanner calls from an address that it is not bound to",
    async provoke(plane, { id, key }) {
      const binding = { bindingMode: "ip", bindingValue: "203.0.113.5" };
      await plane.operate("PATCH", `/api/config/scanners/${id}`, scannerViewSchema, binding);
      return heartbeat(plane, key, "203.0.113.6");
    },
  },
  {
    status: 404,
    code: "NOT_FOUND",
    when: "there is no such job",
    provoke: (plane, { key }) =>
      plane.call("POST", "/scanner/jobs/999/start", { key, body: { leaseId: crypto.randomUUID() } }),
  },
  {
    status: 409,
    code: "JOB_NOT_YOURS",
    when: "another agent has claimed the job",
    async provoke(plane, scanner) {
      await plane.startScan([scanner]);
      const job = await plane.claim(scanner);
      return plane.jobCall(scanner, { ...job, leaseId: crypto.randomUUID() }, "start");
    },
  },
  {
    status: 429,
    code: "RATE_LIMITED",
    when: "more than 10 attempts to authenticate came from one address within a minute",
    provoke: (plane) => knock(plane, AUTH_ATTEMPTS_PER_MINUTE + 1),
  },
  {
    status: 400,
    code: "UNKNOWN_PLATFORM",
    when: "the binary of an unknown target is asked for",
    provoke: (plane, { key }) => plane.call("GET", "/scanner/binary/plan9/mips", { key }),
  },
  {
    status: 501,
    code: "BINARY_NOT_BUILT",
    when: "the binary of a known target is not there",
    provoke: (plane, { key }) => plane.call("GET", "/scanner/binary/linux/arm64", { key }),
  },
  {
    status: 426,
    code: "AGENT_OUTDATED",
    when: "the agent speaks a wire version that is no longer served",
    provoke: async ({ store }, { key }) =>
      new TestControlPlane(store, { minWireVersion: 9 }).call("GET", "/scanner/jobs", {
        key,
        headers: { [WIRE_VERSION_HEADER]: "1" },
      }),
  },
  {
    status: 400,
    code: "INVALID_REQUEST",
    when: "a field is wrong",
    provoke: (plane, { key }) => plane.call("POST", "/scanner/heartbeat", { key, body: { version: 1 } }),
  },
  {
    status: 413,
    code: "BODY_TOO_LARGE",
    when: "the body is too large",
    provoke: (plane, { key }) =>
      plane.call("POST", "/scanner/heartbeat", { key, body: { version: "x".repeat(MAX_BODY_BYTES) } }),
  },
  {
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
    when: "the body is no JSON by its type",
    provoke: (plane, { key }) =>
      plane.call("POST", "/scanner/heartbeat", {
        key,
        text: "{}",
        headers: { "Content-Type": "text/plain" },
      }),
  },
];

/** "Quick Reference: Error Codes", in its order and words. */
const QUICK_REFERENCE: readonly Row[] = [
  {
    status: 401,
    code: "INVALID_API_KEY",
    when: "Token expired or invalid key",
    async provoke(plane, scanner) {
      expect((await heartbeat(plane, "ptl_key_wrong")).status).toBe(401);
      const token = await accessToken(plane, scanner);
      plane.store.dialect.shiftClock(ACCESS_TOKEN_TTL_SECONDS * 1_000 + 1_000);
      const expired = await plane.call("GET", "/scanner/jobs", { token });
      // "Re-authenticate": a fresh token is served.
      const renewed = await accessToken(plane, scanner);
      expect((await plane.call("GET", "/scanner/jobs", { token: renewed })).status).toBe(200);
      return expired;
    },
  },
  {
    status: 404,
    code: "NOT_FOUND",
    when: "Resource not found",
    async provoke(plane, scanner) {
      // "Verify scan/network ID and scanner assignment": the scan is another scanner's.
      const { id: scanId } = await plane.startScan([await plane.addScanner("other")]);
      expect(
        (await plane.call("POST", "/scanner/results", { key: scanner.key, body: { scanId, results: [] } }))
          .status,
      ).toBe(404);
      return plane.call("POST", "/scanner/results", { key: scanner.key, body: { scanId: 999, results: [] } });
    },
  },
  {
    status: 409,
    code: "JOB_NOT_YOURS",
    when: "Conflict (job claimed)",
    async provoke(plane, scanner) {
      await plane.startScan([scanner]);
      const job = await plane.claim(scanner);
      const conflict = await plane.jobCall(scanner, { ...job, leaseId: crypto.randomUUID() }, "start");
      // "Skip job, poll for others": the job is gone from the poll, and other jobs come.
      expect(await plane.poll(scanner)).toEqual([]);
      await plane.startScan([scanner], { ports: "443" });
      expect(await plane.poll(scanner)).toHaveLength(1);
      return conflict;
    },
  },
  {
    status: 429,
    code: "RATE_LIMITED",
    when: "Rate limited",
    async provoke(plane, scanner) {
      const limited = await knock(plane, AUTH_ATTEMPTS_PER_MINUTE + 1);
      // "Wait 60 seconds", and the next attempt is looked at again.
      expect(limited.headers.get("retry-after")).toBe("60");
      plane.clock.advance(60_000);
      expect((await heartbeat(plane, "ptl_key_wrong")).status).toBe(401);
      expect((await heartbeat(plane, scanner.key)).status).toBe(200);
      return limited;
    },
  },
  {
    status: 500,
    code: "INTERNAL",
    when: "Server error",
    async provoke() {
      // A database that nobody set up: nothing that a caller could have done.
      const broken = new TestControlPlane(openStore(":memory:"));
      const answer = await heartbeat(broken, "ptl_key_x");
      // "Check backend logs": the reason is there, and not in the answer.
      expect(JSON.stringify(answer.body)).not.toContain("no such table");
      expect(JSON.stringify(broken.logged)).toContain("no such table");
      await broken.store.close();
      return answer;
    },
  },
];

function rows(openTestStore: OpenTestStore, table: readonly Row[]): void {
  test.each(table.map((row) => [row.status, row.code, row.when, row] as const))(
    "%i %s: %s",
    async (status, code, _, { provoke }) => {
      const plane = new TestControlPlane(await openTestStore());
      const answer = await provoke(plane, await plane.addScanner("s1"));
      expect([answer.status, errorOf(answer).code, ERROR_STATUS[code]]).toEqual([status, code, status]);
      expect(errorOf(answer).message).toMatch(/\w+ \w+/);
    },
  );
}

describeOnSqlite("the errors of the scanner API", (openTestStore) => {
  rows(openTestStore, SCANNER_API);

  test("a rejected call stands on the scanner's record, and a good heartbeat clears it", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { id, key } = await plane.addScanner("s1");
    const view = () => plane.operate("GET", `/api/scanners/${id}`, scannerViewSchema);
    await plane.operate("POST", `/api/config/scanners/${id}/disable`, scannerViewSchema);
    await heartbeat(plane, key, "203.0.113.9");
    expect((await view()).lastAuthError).toEqual({
      at: expect.any(String),
      code: "SCANNER_DISABLED",
      address: "203.0.113.9",
    });
    await plane.operate("POST", `/api/config/scanners/${id}/enable`, scannerViewSchema);
    await heartbeat(plane, key, "203.0.113.9");
    expect((await view()).lastAuthError).toBeNull();
  });
});

describeOnSqlite("the quick reference of Open Port Monitor", (openTestStore) => {
  rows(openTestStore, QUICK_REFERENCE);
});

test("every code stands in the table of docs/control-plane.md, beside its status", async () => {
  const docs = await Bun.file(new URL("../../../docs/control-plane.md", import.meta.url)).text();
  const table = docs.split("\n").filter((line) => /^\| \d{3}/.test(line));
  for (const [code, status] of Object.entries(ERROR_STATUS)) {
    const line = table.find((candidate) => candidate.includes(`\`${code}\``)) ?? "not in the table";
    expect([code, line]).toEqual([code, expect.stringMatching(new RegExp(`^\\| [\\d, ]*${status}`))]);
  }
});

describe("without a database", () => {
  test("503 DATABASE_UNAVAILABLE says when to ask again", async () => {
    const plane = new TestControlPlane(openStore("postgres://nobody@127.0.0.1:1/none"));
    const answer = await heartbeat(plane, "ptl_key_x");
    expect([answer.status, errorOf(answer).code]).toEqual([503, "DATABASE_UNAVAILABLE"]);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    await plane.store.close();
  });
});
