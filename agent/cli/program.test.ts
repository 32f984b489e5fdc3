/** The command line as its user meets it: exit codes, where text goes, and one line for an error. No process is started. */

import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import type { TextOutput } from "./context.ts";
import { runProgram } from "./program.ts";

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stdoutBytes: Uint8Array;
  readonly stderr: string;
}

class Recorder implements TextOutput {
  readonly isTerminal = false;
  bytes = new Uint8Array();

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  columns(): undefined {
    return undefined;
  }

  async write(data: string | Uint8Array): Promise<boolean> {
    const added = typeof data === "string" ? new TextEncoder().encode(data) : data;
    this.bytes = Buffer.concat([this.bytes, added]);
    return true;
  }
}

const noWorker = (): never => {
  throw new Error("no scan is to be started");
};

/** Not the host's own configuration, which may say anything. */
const ENVIRONMENT = { PORTOLAN_CONFIG: "/dev/null" };

async function run(args: readonly string[], stdin = ""): Promise<Outcome> {
  const stdout = new Recorder();
  const stderr = new Recorder();
  const exitCode = await runProgram(args, {
    environment: ENVIRONMENT,
    workers: { sender: noWorker, receiver: noWorker },
    stdout,
    stderr,
    interrupted: new AbortController().signal,
    stdinIsTerminal: false,
    readStdin: async () => stdin,
    stdin: () => new Blob([stdin]).stream(),
  });
  return { exitCode, stdout: stdout.text, stdoutBytes: stdout.bytes, stderr: stderr.text };
}

/** One line that names the program, nothing on stdout, exit code 2. */
function expectUsageError({ exitCode, stdout, stderr }: Outcome, named: string): void {
  expect(exitCode).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^portolan-agent: [^\n]+\n$/);
  expect(stderr).toContain(named);
}

describe("help and version", () => {
  test.each([["--help"], ["-h"]])("%s goes to stdout and lists every command", async (flag) => {
    const { exitCode, stdout, stderr } = await run([flag]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    for (const name of ["scan", "enroll", "run", "doctor", "version"])
      expect(stdout).toContain(`\n  ${name} `);
  });

  test.each(["scan", "enroll", "run", "doctor", "version"])("%s --help", async (name) => {
    const { exitCode, stdout, stderr } = await run([name, "--help"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toStartWith(`Usage: portolan-agent ${name}`);
  });

  test.each([["--version"], ["-V"]])("%s is the bare version", async (flag) => {
    const { exitCode, stdout, stderr } = await run([flag]);
    expect([exitCode, stdout, stderr]).toEqual([0, `${PORTOLAN_VERSION}\n`, ""]);
  });

  test("the version command tells of its surroundings too", async () => {
    const { exitCode, stdout } = await run(["version"]);
    expect(exitCode).toBe(0);
    expect(stdout).toStartWith(`portolan-agent ${PORTOLAN_VERSION} (wire `);
    expect(stdout).toEndWith(")\n");
  });

  test("nothing at all: the help, as an error", async () => {
    const { exitCode, stdout, stderr } = await run([]);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: portolan-agent");
  });
});

describe("what the user got wrong", () => {
  test.each([
    ["an unknown command", ["scna", "127.0.0.1"], "scna"],
    ["an unknown flag", ["--verbose"], "--verbose"],
    ["an unknown flag of a command", ["scan", "127.0.0.1", "--fast"], "--fast"],
    ["a flag without its value", ["scan", "127.0.0.1", "--rate"], "--rate"],
    ["a command without its argument", ["scan"], "targets"],
    ["an argument too many", ["version", "now"], "version"],
    ["a wrong target", ["scan", "127.0.0.300"], "127.0.0.300"],
    ["a wrong port", ["scan", "127.0.0.1", "-p", "80,x"], "'x'"],
    ["a wrong rate", ["scan", "127.0.0.1", "--rate", "warp"], "'warp'"],
    ["a wrong format", ["scan", "127.0.0.1", "--format", "html"], "'html'"],
    ["a file whose name says no format", ["scan", "127.0.0.1", "-o", "scan.out"], "--format"],
    [
      "flags that exclude each other",
      ["scan", "127.0.0.1", "--discover", "--only-discover"],
      "--only-discover",
    ],
    ["a resume file that is not there", ["scan", "--resume", "/nonexistent"], "/nonexistent"],
    [
      "ports that would take the place of others",
      ["scan", "::1", "-p", "80", "-p", "443"],
      "--ports stands twice",
    ],
    ["binary where IPv6 is listed", ["scan", "::1", "--dry-run", "--format", "binary"], "IPv6"],
    [
      "binary where UDP is listed",
      ["scan", "127.0.0.1", "-p", "U:53", "--dry-run", "--format", "binary"],
      "UDP",
    ],
    ["no server to enroll at", ["enroll", "--state-dir", "/nonexistent"], "--server"],
    ["a server in the clear", ["enroll", "--server", "http://192.0.2.1"], "--allow-plain-http"],
    ["no token", ["enroll", "--server", "https://192.0.2.1"], "PORTOLAN_TOKEN"],
    ["an empty token", ["enroll", "--server", "https://192.0.2.1", "--token-stdin"], "token"],
    ["a configuration that is not there", ["run", "--config", "/nonexistent.yaml"], "/nonexistent.yaml"],
    ["an authority that is not there", ["doctor", "--ca-file", "/nonexistent.pem"], "/nonexistent.pem"],
  ])("%s", async (_name, args, named) => {
    expectUsageError(await run(args), named);
  });

  test("run before enroll", async () => {
    const stateDir = mkdtempSync(join(tmpdir(), "portolan-cli-"));
    try {
      expectUsageError(await run(["run", "--state-dir", stateDir]), "portolan-agent enroll");
    } finally {
      rmSync(stateDir, { recursive: true });
    }
  });
});

describe("a dry run", () => {
  test("lists targets from standard input, less exclusions, and starts nothing", async () => {
    const args = ["scan", "-p", "22,U:53", "--exclude", "10.0.0.2", "--dry-run"];
    const { exitCode, stdout, stderr } = await run(args, "10.0.0.1-2\n2001:db8::1 # here\n");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n").toSorted()).toEqual([
      "",
      "10.0.0.1 22",
      "10.0.0.1 53/udp",
      "2001:db8::1 22",
      "2001:db8::1 53/udp",
    ]);
  });

  test("is the same for the same seed, and its shards make the whole", async () => {
    const listing = async (...more: readonly string[]): Promise<string> =>
      (await run(["scan", "10.0.0.0/28", "-p", "1-9", "--seed", "5", "--dry-run", ...more])).stdout;
    const whole = await listing();
    expect(await listing()).toBe(whole);
    const shards = [await listing("--shard", "1/2"), await listing("--shard", "2/2")];
    expect(shards.join("").split("\n").toSorted()).toEqual(whole.split("\n").toSorted());
  });

  test("binary, six bytes a probe", async () => {
    const { stdoutBytes } = await run(["scan", "10.0.0.1", "-p", "443", "--dry-run", "--format", "binary"]);
    expect([...stdoutBytes]).toEqual([10, 0, 0, 1, 1, 187]);
  });

  test("of hosts", async () => {
    expect((await run(["scan", "10.0.0.1", "--only-discover", "--dry-run"])).stdout).toBe("10.0.0.1\n");
  });
});

test("a fault of the program itself is said to be one, and exits with 1", async () => {
  const { exitCode, stderr } = await run(["scan", "127.0.0.1", "--link", "connect", "-p", "1"]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("portolan-agent: internal error: no scan is to be started\n");
});
