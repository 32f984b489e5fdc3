/** Commands about enrolment, approval and keys, and what `serve` does with a database of autonomous systems. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enrolmentTokenCreateResponseSchema } from "#shared/protocol/enrolment.ts";
import { scannerViewSchema } from "#shared/protocol/operator.ts";
import { registerResponseSchema } from "#shared/protocol/scanner.ts";
import { mmdbFile } from "../testing/mmdb.ts";
import { type Run, runProgram, type ServingProgram, startServe } from "../testing/program.ts";

// Each command is a process of its own, and several go into one test.
setDefaultTimeout(60_000);

const MAX_TRIES = 1_000;

let home: string;
let server: ServingProgram;
let asnFile: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "portolan-enrolment-"));
  asnFile = join(home, "asn.mmdb");
  writeFileSync(asnFile, mmdbFile({ "127.0.0.0/8": 64_500 }));
  server = await startServe(["--data-dir", join(home, "state")], { HOME: home, ASN_DATABASE: asnFile });
});

afterAll(async () => {
  const exitCode = await server.stop();
  rmSync(home, { recursive: true });
  expect(exitCode).toBe(0);
});

function client(...args: string[]): Promise<Run> {
  const where = ["--server", server.url, "--token-file", join(home, "state", "admin-token")];
  return runProgram([...args, ...where], { HOME: home });
}

async function register(token: string, hostname: string): Promise<string> {
  const response = await fetch(`${server.url}/scanner/register`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token, hostname, installId: crypto.randomUUID() }),
  });
  return registerResponseSchema.parse(await response.json()).apiKey;
}

async function heartbeat(key: string): Promise<Response> {
  const headers = { "X-API-Key": key, "Content-Type": "application/json" };
  return fetch(`${server.url}/scanner/heartbeat`, { method: "POST", headers, body: "{}" });
}

test("a host enrols with the line that is printed, is approved, revoked, and given a new key", async () => {
  const created = await client("enrolment", "create", "rack-7", "--max-uses", "2", "--hours", "1");
  expect(created.exitCode).toBe(0);
  expect(created.stdout).toMatch(
    /^curl -fsSL -H 'Authorization: Bearer ptl_enrol_[\w-]{43}' '.*\/scanner\/install' \| sudo sh\n$/,
  );
  expect(created.stderr).toContain("on up to 2 hosts");
  const key = await register(/ptl_enrol_[\w-]+/.exec(created.stdout)?.[0] ?? "", "web1.example");
  expect((await client("scanner", "list")).stdout).toMatch(/ {2}web1-example {2,}unapproved /);
  expect((await client("scanner", "approve", "web1-example")).stdout).toBe(
    "web1-example: active, not bound\n",
  );
  const rotated = await client("scanner", "rotate-key", "web1-example", "--json");
  expect(scannerViewSchema.parse(JSON.parse(rotated.stdout)).keyRotationRequestedAt).not.toBeNull();
  expect(await (await heartbeat(key)).json()).toMatchObject({ ok: true, rotateKey: true });
  expect((await client("scanner", "revoke", "web1-example")).stdout).toBe(
    "web1-example: unapproved, not bound\n",
  );

  expect((await client("enrolment", "list")).stdout).toMatch(/\n1 {2,}rack-7 {2,}usable {2,}1\/2 {2,}2/);
  expect(await client("enrolment", "revoke", "rack-7")).toMatchObject({
    exitCode: 0,
    stdout: "rack-7: revoked\n",
  });
  const again = await client("enrolment", "revoke", "rack-7");
  expect([again.exitCode, again.stderr]).toEqual([
    2,
    "portolan-control: there is no enrolment token named 'rack-7'\n",
  ]);
});

test("a wrong option is told in one line", async () => {
  const run = await client("enrolment", "create", "a", "--max-uses", "0");
  expect([run.exitCode, run.stderr.split("\n").length]).toEqual([2, 2]);
});

test("a scanner is bound to its autonomous system, and SIGHUP reads the database again", async () => {
  const created = await client("enrolment", "create", "rack-8", "--binding", "asn", "--json");
  const { token } = enrolmentTokenCreateResponseSchema.parse(JSON.parse(created.stdout));
  const key = await register(token, "bound");
  expect((await heartbeat(key)).status).toBe(200);
  expect((await client("scanner", "approve", "bound")).stdout).toBe(
    "bound: active, bound by asn to AS64500\n",
  );
  // The same size and time: only the signal says that it is another.
  const { atime, mtime } = statSync(asnFile);
  writeFileSync(asnFile, mmdbFile({ "127.0.0.0/8": 64_999 }));
  utimesSync(asnFile, atime, mtime);
  server.reload();
  let status = 200;
  for (let i = 0; i < MAX_TRIES && status === 200; i++) status = (await heartbeat(key)).status;
  expect(status).toBe(403);
});
