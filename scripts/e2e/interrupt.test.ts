/** Scans that are cut short: they say so, keep what they found, and can be taken up again to find exactly the rest. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { BLOCK, OPEN_PORT } from "../lab/block.ts";
import { type BlockLab, createBlockLab } from "../lab/block-lab.ts";
import { run as runCommand } from "../lab/namespaces.ts";
import { waitFor } from "../processes/service.ts";
import { E2E_TIMEOUT_MS, WAIT_TIMEOUT_MS } from "../testing/timeouts.ts";
import { portLines, readReport, type Report, scanCommand, temporaryFolder } from "./agent-scan.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

/** 10.99.0.0/19, five ports each, one of them open. */
const TARGETS = "10.99.0.0/19 -p 20-24";
const ADDRESSES = 8_192;
const PROBES = ADDRESSES * 5;
const ALL_OPEN = Array.from(
  { length: ADDRESSES },
  (_, i) => `10.99.${i >> 8}.${i & 255} ${OPEN_PORT}/tcp open`,
).toSorted();

let lab: BlockLab;

beforeAll(async () => {
  lab = await createBlockLab();
});

afterAll(async () => {
  await lab.close();
});

interface Part extends Report {
  readonly exitCode: number;
  readonly stderr: string;
}

/** @param stopAt SYN segments at which it is stopped, by a signal or otherwise; undefined lets it end */
async function run(
  words: string,
  cwd: string,
  stopAt?: number,
  stop: "SIGINT" | "SIGTERM" | (() => void) = "SIGINT",
): Promise<Part> {
  lab.setFaults({});
  const child = Bun.spawn(lab.onScanner(scanCommand(words)), { cwd, stdout: "pipe", stderr: "pipe" });
  const [output, errors] = [new Response(child.stdout).text(), new Response(child.stderr).text()];
  if (stopAt !== undefined) {
    await waitFor("the scan to be under way", WAIT_TIMEOUT_MS, [], async () =>
      lab.counted("syns") >= stopAt ? true : undefined,
    );
    if (typeof stop === "string") child.kill(stop);
    else stop();
  }
  const exitCode = await child.exited;
  return { exitCode, stderr: await errors, ...readReport(await output) };
}

function resumeFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".resume.json"));
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s: partial results are kept, and resuming finds exactly the rest",
  async (signal) => {
    using folder = temporaryFolder();
    const first = await run(`${TARGETS} --rate 10000`, folder.path, 9_000, signal);
    expect(first.exitCode).toBe(130);
    expect(first.summary).toMatchObject({ partial: true, ended: "interrupted", probesPlanned: PROBES });
    expect(first.summary.probesCovered).toBeGreaterThanOrEqual(9_000);
    expect(first.summary.probesCovered).toBeLessThan(PROBES);
    expect(first.ports.length).toBeGreaterThan(0);

    const files = resumeFiles(folder.path);
    expect(files).toHaveLength(1);
    expect(first.stderr).toContain(`--resume ${files[0]}`);
    const rest = await run(`--resume ${files[0]} --rate 20000`, folder.path);
    expect(rest.exitCode).toBe(0);
    expect(rest.summary).toMatchObject({ partial: false, ended: "done", coverage: 1, open: ADDRESSES });
    // Nothing is missing, and nothing is told twice.
    expect(portLines([...first.ports, ...rest.ports])).toEqual(ALL_OPEN);
    expect(resumeFiles(folder.path)).toEqual(files);
  },
);

test.each(["xdp", "packet"])(
  "--link %s: an interface that goes down leaves what was found, and a file",
  async (link) => {
    using folder = temporaryFolder();
    const setLink = (state: "up" | "down"): void => {
      runCommand(["ip", "-n", lab.scanner, "link", "set", lab.scannerInterface, state]);
    };
    const first = await run(`${TARGETS} --rate 10000 --retries 0 --link ${link}`, folder.path, 9_000, () =>
      setLink("down"),
    );
    expect(first.exitCode).toBe(1);
    expect(first.summary).toMatchObject({ partial: true, ended: "failed" });
    expect(first.stderr).toContain("takes no packets");
    setLink("up");
    // The kernel forgot it with the interface.
    runCommand(["ip", "-n", lab.scanner, "route", "replace", BLOCK.network, "via", BLOCK.gateway]);
    const [file = ""] = resumeFiles(folder.path);
    const rest = await run(`--resume ${file} --rate 20000`, folder.path);
    expect(rest.exitCode).toBe(0);
    expect(portLines([...first.ports, ...rest.ports])).toEqual(ALL_OPEN);
  },
);

test("stopped twice", async () => {
  using folder = temporaryFolder();
  const first = await run(`${TARGETS} --rate 10000 --senders 2`, folder.path, 7_000);
  const [one = ""] = resumeFiles(folder.path);
  const second = await run(`--resume ${one}`, folder.path, 7_000);
  const two = resumeFiles(folder.path).find((name) => name !== one) ?? "";
  const third = await run(`--resume ${two} --rate 20000`, folder.path);
  expect([first, second, third].map(({ exitCode }) => exitCode)).toEqual([130, 130, 0]);
  expect(portLines([...first.ports, ...second.ports, ...third.ports])).toEqual(ALL_OPEN);
});

test("a scan that reaches its time limit is partial too, and wanted to be: it leaves no file", async () => {
  using folder = temporaryFolder();
  const { exitCode, summary, ports } = await run(`${TARGETS} --rate 10000 --max-runtime 1.5`, folder.path);
  expect(exitCode).toBe(0);
  expect(summary).toMatchObject({ partial: true, ended: "timed-out" });
  expect(summary.coverage).toBeLessThan(1);
  expect(summary.coverage).toBeGreaterThan(0);
  expect(ports).toHaveLength(summary.open);
  expect(readdirSync(folder.path)).toEqual([]);
});

test("a scan that ends leaves no file behind", async () => {
  using folder = temporaryFolder();
  const { exitCode } = await run("10.99.0.0/28 -p 20-24", folder.path);
  expect(exitCode).toBe(0);
  expect(readdirSync(folder.path)).toEqual([]);
});
