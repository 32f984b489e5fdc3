import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Job, jobsResponseSchema } from "#shared/protocol/job.ts";
import { scannerCreateResponseSchema } from "#shared/protocol/operator.ts";
import { registerResponseSchema } from "#shared/protocol/scanner.ts";
import { PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import { type Run, runProgram, type ServingProgram, startServe } from "../testing/program.ts";

// Each command is a process of its own, and several go into one test.
setDefaultTimeout(60_000);

let home: string;
let dataDirectory: string;
let url: string;
let server: ServingProgram;

/** Runs a command as an ordinary user's shell would. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  return runProgram(args, { HOME: home, PORTOLAN_SERVER: url, ...env });
}

function client(...args: string[]): Promise<Run> {
  return run([...args, "--token-file", join(dataDirectory, "admin-token")]);
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "portolan-cli-"));
  dataDirectory = join(home, "state");
  server = await startServe(["--data-dir", dataDirectory], { HOME: home });
  url = server.url;
  await client("scanner", "add", "ready");
});

afterAll(async () => {
  const exitCode = await server.stop();
  rmSync(home, { recursive: true });
  expect(exitCode).toBe(0);
});

/** Adds and registers a scanner by the line that `scanner add` prints. Returns its key. */
async function enroll(name: string): Promise<string> {
  const added = await client("scanner", "add", name);
  const token = /ptl_prov_[\w-]+/.exec(added.stdout)?.[0];
  const response = await fetch(`${url}/scanner/register`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token, installId: crypto.randomUUID() }),
  });
  return registerResponseSchema.parse(await response.json()).apiKey;
}

async function post(key: string, path: string, body: object): Promise<void> {
  const headers = { "X-API-Key": key, "Content-Type": "application/json" };
  const response = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  expect(response.status).toBe(200);
}

/** Does the next job of the scanner, and says that it ended so. */
async function work(key: string, status: "completed" | "failed"): Promise<Job> {
  const response = await fetch(`${url}/scanner/jobs?wait=30`, { headers: { "X-API-Key": key } });
  const [job] = jobsResponseSchema.parse(await response.json()).jobs;
  if (job === undefined) throw new Error("there was no job");
  const { jobId, leaseId } = job;
  const observedAt = "2026-01-27T10:00:00.000Z";
  const result = {
    address: "10.0.0.1",
    port: 22,
    protocol: "tcp",
    state: "open",
    reason: "syn-ack",
    observedAt,
  };
  await post(key, `/scanner/jobs/${jobId}/start`, { leaseId });
  await post(key, `/scanner/jobs/${jobId}/results`, { leaseId, batch: 1, results: [result] });
  await post(key, `/scanner/jobs/${jobId}/complete`, {
    leaseId,
    status,
    resultCount: 1,
    errorMessage: "no route",
  });
  return job;
}

test("scanner add prints the line to run alone on stdout, and with --json the whole answer", async () => {
  const line = await client("scanner", "add", "plain", "--rate-limit", "500", "--binding", "ip");
  expect(line.exitCode).toBe(0);
  expect(line.stdout).toMatch(
    /^curl -fsSL -H 'Authorization: Bearer ptl_prov_[\w-]{43}' 'http:\/\/127\.0\.0\.1:\d+\/scanner\/install' \| sudo sh\n$/,
  );
  expect(line.stderr).toContain("Scanner 'plain' was added");
  const json = await client("scanner", "add", "json", "--json");
  expect(scannerCreateResponseSchema.parse(JSON.parse(json.stdout)).scanner.name).toBe("json");
  const list = await client("scanner", "list");
  expect(list.stdout).toMatch(/\bplain +pending\b/);
});

test("scanner token ends the former token and prints a new line", async () => {
  const added = await client("scanner", "add", "renewed");
  const renewed = await client("scanner", "token", "renewed");
  expect(renewed.exitCode).toBe(0);
  expect(renewed.stdout).toMatch(
    /^curl -fsSL -H 'Authorization: Bearer ptl_prov_[\w-]{43}' '.*' \| sudo sh\n$/,
  );
  expect(renewed.stderr).toContain("The former token and key of scanner 'renewed' no longer work.");
  const statuses = await Promise.all(
    [added, renewed].map(async ({ stdout }) => {
      const authorization = /Bearer ptl_prov_[\w-]+/.exec(stdout)?.[0] ?? "";
      return (await fetch(`${url}/scanner/install`, { headers: { authorization } })).status;
    }),
  );
  expect(statuses).toEqual([401, 200]);
});

test("a scanner is disabled, enabled, released and removed by its name", async () => {
  await client("scanner", "add", "handled", "--binding", "ip", "--binding-value", "192.0.2.7");
  const said = async (action: string) => (await client("scanner", action, "handled")).stdout;
  expect(await said("disable")).toBe("handled: disabled, bound by ip to 192.0.2.7\n");
  expect(await said("enable")).toBe("handled: pending, bound by ip to 192.0.2.7\n");
  expect(await said("release-binding")).toBe("handled: pending, bound by ip to its next address\n");
  expect(await said("remove")).toBe("handled: removed\n");
  expect((await client("scanner", "list")).stdout).not.toContain("handled");
});

test("the printed line fetches the install script", async () => {
  const { stdout } = await client("scanner", "add", "curl");
  const script = Bun.spawnSync(["sh", "-c", stdout.replace(/ \| sudo sh\n$/, "")]);
  expect(script.stdout.toString()).toContain(`PORTOLAN_SERVER='${url}'`);
});

test("scan start --wait prints what was found, and exits with 0 only when the scan completed", async () => {
  const key = await enroll("worker");
  const start = [
    "scan",
    "start",
    "--scanner",
    "worker",
    "--targets",
    "10.0.0.0/30",
    "--ports",
    "22,80",
    "--wait",
  ];
  const [completed] = await Promise.all([client(...start), work(key, "completed")]);
  expect([completed.exitCode, completed.stdout]).toEqual([0, "10.0.0.1  22/tcp  open  syn-ack  worker\n"]);
  expect(completed.stderr).toContain("completed, 100 % of 8 probes, 1 results");
  const [failed, job] = await Promise.all([client(...start), work(key, "failed")]);
  expect([failed.exitCode, failed.stdout]).toEqual([1, "10.0.0.1  22/tcp  open  syn-ack  worker\n"]);
  expect(failed.stderr).toContain("portolan-control: worker: no route");

  const shown = await client("scan", "show", String(job.scanId), "--results");
  expect(shown.stdout).toContain("10.0.0.1  22/tcp");
  const json = await client("scan", "show", String(job.scanId), "--results", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({ scan: { status: "failed" }, results: [{ port: 22 }] });
});

test("scan start without --wait prints the number, by which scan cancel stops it", async () => {
  await client("scanner", "add", "idle");
  const started = await client(
    "scan",
    "start",
    "--scanner",
    "idle",
    "--targets",
    "10.0.0.1",
    "--ports",
    "80",
  );
  expect(started.stdout).toMatch(/^\d+\n$/);
  const cancelled = await client("scan", "cancel", started.stdout.trim());
  expect(cancelled.stdout).toContain("cancelled");
});

test("token create prints a token that works, from the environment too", async () => {
  const created = await client("token", "create", "bob", "--role", "viewer");
  expect(created.stdout).toMatch(/^ptl_op_[\w-]{43}\n$/);
  const env = { PORTOLAN_TOKEN: created.stdout.trim() };
  expect((await run(["scanner", "list"], env)).exitCode).toBe(0);
  const refused = await run(["scanner", "add", "x"], env);
  expect([refused.exitCode, refused.stderr]).toEqual([
    2,
    "portolan-control: this needs the role 'operator'; your token has the role 'viewer'\n",
  ]);
});

test.each([
  ["an unknown flag", ["scanner", "list", "--bogus"], "unknown option '--bogus'"],
  ["an unknown command", ["dance"], "unknown command 'dance'"],
  ["a bad value", ["scan", "start", "--rate", "x"], "expected a whole number"],
  ["a missing value", ["scan", "start", "--scanner", "a"], "--targets"],
  ["a bad name", ["scanner", "add", "under_score"], "name: must be letters, digits and hyphens"],
  [
    "an unknown scanner",
    ["scan", "start", "--scanner", "who", "--targets", "10.0.0.1", "--ports", "1"],
    "no scanner named 'who'",
  ],
  [
    "a bad target",
    ["scan", "start", "--scanner", "ready", "--targets", "10.0.0.1/40", "--ports", "1"],
    "'10.0.0.1/40'",
  ],
  [
    "a server that is not there",
    ["scanner", "list", "--server", "http://127.0.0.1:1"],
    "cannot reach http://127.0.0.1:1: connection refused; is it running, and is the port right?",
  ],
  [
    "a server whose name does not exist",
    ["scanner", "list", "--server", "http://portolan.invalid"],
    "cannot reach http://portolan.invalid: its name cannot be resolved",
  ],
  [
    "a scan that is no number",
    ["scan", "show", "abc"],
    "portolan-control: the scan's id must be a number, not 'abc'",
  ],
  ["a scan to cancel that is no number", ["scan", "cancel", "1e3"], "must be a number, not '1e3'"],
  [
    "a state that cannot be reported",
    ["scan", "start", "--report", "open,ajar"],
    "'ajar' is none of open, closed, filtered",
  ],
  [
    "a target that is too long",
    ["scan", "start", "--scanner", "ready", "--targets", "1".repeat(101), "--ports", "1"],
    "portolan-control: --targets: ",
  ],
  ["a CA file that is not there", ["scanner", "list", "--ca-file", "none.pem"], "the file of --ca-file"],
  ["a scanner to remove that is not there", ["scanner", "remove", "who"], "no scanner named 'who'"],
  ["a bad server", ["scanner", "list", "--server", "ftp://x"], "'ftp://x' is no address of a server"],
])("%s is one line on stderr and exit code 2", async (_, args, message) => {
  const { exitCode, stdout, stderr } = await client(...args);
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr).toStartWith("portolan-control: ");
  expect(stderr).toContain(message);
  expect(stderr.trimEnd()).not.toContain("\n");
});

test("a missing and a wrong token are told as such", async () => {
  const missing = await run(["scanner", "list"]);
  expect([missing.exitCode, missing.stderr]).toEqual([
    2,
    expect.stringContaining("cannot read the operator's token from"),
  ]);
  const file = join(home, "wrong-token");
  writeFileSync(file, "ptl_op_wrong\n");
  const wrong = await run(["scanner", "list", "--token-file", file]);
  expect([wrong.exitCode, wrong.stderr]).toEqual([
    2,
    "portolan-control: the operator's token is unknown or revoked\n",
  ]);
});

test("version and help go to stdout", async () => {
  for (const args of [["version"], ["--version"], ["-V"]]) {
    expect(await run(args)).toMatchObject({ exitCode: 0, stdout: `${PORTOLAN_VERSION}\n` });
  }
  const help = await run(["--help"]);
  expect([help.exitCode, help.stderr]).toEqual([0, ""]);
  expect(help.stdout).toContain("Usage: portolan-control");
});
