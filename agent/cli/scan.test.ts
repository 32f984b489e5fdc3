/** `scan` as a program, over loopback and with ordinary connections, which need no privilege. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scanSummarySchema } from "#shared/protocol/job.ts";
import type { WorkerFactory } from "../engine/engine-worker.ts";
import { runProgram } from "./program.ts";

setDefaultTimeout(60_000);

const MAIN = join(import.meta.dir, "../main.ts");
const WORKERS: WorkerFactory = {
  sender: () => new Worker(new URL("../engine/sender.worker.ts", import.meta.url)),
  receiver: () => new Worker(new URL("../engine/receiver.worker.ts", import.meta.url)),
};

let folder: string;
let listener: Bun.TCPSocketListener;
let openPort: number;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "portolan-scan-"));
  listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  openPort = listener.port;
});

afterAll(() => {
  listener.stop(true);
  rmSync(folder, { recursive: true });
});

/** The program in a process of its own, working in the test's folder. */
function start(words: string) {
  return Bun.spawn([process.execPath, MAIN, "scan", ...words.split(" "), "--link", "connect"], {
    cwd: folder,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

function textOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  return new Response(stream).text();
}

interface Line {
  readonly type: string;
  readonly port: number;
}

function linesOf(text: string): Line[] {
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("results on stdout, the summary for people on stderr, the files that were asked for", async () => {
  const scan = start(`127.0.0.1 -p ${openPort} --rate max --summary summary.json`);
  const [stdout, stderr] = [await textOf(scan.stdout), await textOf(scan.stderr)];
  expect(await scan.exited).toBe(0);
  const [port, summary] = linesOf(stdout);
  expect(port).toMatchObject({ type: "port", address: "127.0.0.1", port: openPort, state: "open" });
  expect(stderr).toStartWith("1 open, 0 closed, 0 filtered (1 address × 1 port)\n");
  const file = await Bun.file(join(folder, "summary.json")).json();
  expect(file).toMatchObject({
    parameters: { targets: ["127.0.0.1"], tcpPorts: String(openPort), shard: "1/1", link: "connect" },
    open: 1,
  });
  expect(scanSummarySchema.parse(file)).toEqual(scanSummarySchema.parse(summary));
});

test("a report in a file leaves stdout empty, and --quiet stderr too", async () => {
  const scan = start(`127.0.0.1 -p ${openPort} --rate max -q -o report.json`);
  expect([await textOf(scan.stdout), await textOf(scan.stderr), await scan.exited]).toEqual(["", "", 0]);
  const { results } = await Bun.file(join(folder, "report.json")).json();
  expect(results).toMatchObject([{ type: "port", port: openPort }]);
});

test("a scan that cannot be leaves the last report as it was", async () => {
  const report = join(folder, "kept.xml");
  await Bun.write(report, "last week's");
  const scan = start(`127.0.0.1 -p ${openPort} -o kept.xml --seed 1 --shard 2/2`);
  expect(await textOf(scan.stderr)).toContain("empty");
  expect(await Bun.file(report).text()).toBe("last week's");
});

test("nothing is scanned where the report cannot be written", async () => {
  const scan = start(`127.0.0.1 -p ${openPort} -o /nonexistent/report.json`);
  expect(await textOf(scan.stderr)).toContain("/nonexistent/report.json");
  expect(await scan.exited).toBe(2);
});

test("an interrupted scan goes on where it stopped: both halves together are the whole, no port twice", async () => {
  const scan = start("127.0.0.1 -p 1-600 --rate 400 --show all --seed 11");
  const reader = scan.stdout.getReader();
  const decoder = new TextDecoder();
  let stdout = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    // As soon as it is seen to work.
    if (stdout === "") scan.kill("SIGINT");
    stdout += decoder.decode(value, { stream: true });
  }
  expect(await scan.exited).toBe(130);
  const first = linesOf(stdout);
  expect(first.at(-1)).toMatchObject({ type: "summary", ended: "interrupted", partial: true });

  const [path, ...others] = readdirSync(folder).filter((name) => name.endsWith(".resume.json"));
  expect(others).toEqual([]);
  expect(await textOf(scan.stderr)).toEndWith(`to go on: portolan-agent scan --resume ${path}\n`);

  const rest = start(`--resume ${path} --rate max`);
  const second = linesOf(await textOf(rest.stdout));
  expect(await rest.exited).toBe(0);
  expect(second.at(-1)).toMatchObject({ type: "summary", ended: "done", partial: false, coverage: 1 });
  const ports = [...first.slice(0, -1), ...second.slice(0, -1)].map(({ port }) => port);
  expect(ports.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 600 }, (_, i) => i + 1));
  expect(Math.min(first.length, second.length)).toBeGreaterThan(1);
});

test("on a terminal: each port at once, then a table, and never on the progress line", async () => {
  const written: string[] = [];
  const terminal = {
    isTerminal: true,
    columns: () => 80,
    write: async (text: string | Uint8Array) => {
      written.push(String(text));
      return true;
    },
  };
  const exitCode = await runProgram(
    ["scan", "127.0.0.1", "-p", String(openPort), "--rate", "max", "--link", "connect"],
    {
      environment: { NO_COLOR: "1" },
      workers: WORKERS,
      stdout: terminal,
      stderr: terminal,
      interrupted: new AbortController().signal,
      stdinIsTerminal: true,
      readStdin: async () => "",
      stdin: () => new Blob([]).stream(),
    },
  );
  expect(exitCode).toBe(0);
  const live = written.findIndex((text) => text.startsWith(`open ${openPort}/tcp`));
  expect(written[live - 1]).toEndWith("\r\u001B[K");
  expect(written.slice(live).join("")).toMatch(/on 127\.0\.0\.1\n.*\n127\.0\.0\.1\nPORT +STATE/s);
});

test("a reader that goes away ends the scan, and leaves no file", async () => {
  const before = readdirSync(folder);
  const pipe = Bun.spawn(
    [
      "sh",
      "-c",
      `"$0" "$1" scan 127.0.0.1 -p- --rate 20000 --show all --link connect | head -n 1`,
      process.execPath,
      MAIN,
    ],
    { cwd: folder, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  expect((await textOf(pipe.stdout)).split("\n")).toHaveLength(2);
  expect(await textOf(pipe.stderr)).toContain("the result is partial");
  await pipe.exited;
  expect(readdirSync(folder)).toEqual(before);
});

test.each(["--show all", "--dry-run"])("a full disk under stdout fails the command: %s", async (flags) => {
  const command = `"$0" "$1" scan 127.0.0.1 -p 1-9 --link connect ${flags} > /dev/full`;
  const failing = Bun.spawn(["sh", "-c", command, process.execPath, MAIN], {
    cwd: folder,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  expect(await textOf(failing.stderr)).toContain("cannot write to standard output: ENOSPC");
  expect(await failing.exited).toBe(1);
});
