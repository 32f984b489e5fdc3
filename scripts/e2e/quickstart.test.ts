/** The README's first command, as a new user runs it: to its end, twice, and interrupted. */

import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execute, outputOf } from "../processes/command.ts";

setDefaultTimeout(180_000);

const ROOT = join(import.meta.dir, "../..");
const SCRIPT = join(ROOT, "scripts/quickstart.sh");

/** Where the quick start puts its files. */
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "portolan-test-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function start(command: readonly string[]): Bun.Subprocess<"ignore", "pipe", "ignore"> {
  return Bun.spawn([...command], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    env: { ...process.env, TMPDIR: folder },
  });
}

/** What it made on this machine and did not remove. Namespaces and links bear the number of their maker. */
async function leftBy(pid: number): Promise<string[]> {
  const namespaces = await outputOf(["ip", "netns", "list"]);
  const links = await outputOf(["ip", "-o", "link", "show", "type", "veth"]);
  const mine = new RegExp(`\\bptl-?${pid % 100_000}[-u]\\S*`, "g");
  return [...(namespaces.match(mine) ?? []), ...(links.match(mine) ?? []), ...readdirSync(folder)];
}

test.each(["first", "second"])(
  "the %s run ends by itself, tells every port, and leaves nothing",
  async () => {
    const child = start([SCRIPT]);
    const output = await new Response(child.stdout).text();
    expect(output).toContain("| sudo sh");
    expect(output).toContain('"status": "active"');
    expect(output).toContain('"memoryTotalBytes"');
    expect(output).toContain("Every port was told as it is. Coverage 100 %.");
    expect(output).toContain("scripts/quickstart.sh --keep");
    expect(await child.exited).toBe(0);
    expect(await leftBy(child.pid)).toEqual([]);
  },
);

test.each(["1.", "2.", "3.", "4."])("interrupted in step %s, even twice, it leaves nothing", async (step) => {
  const child = start([process.execPath, join(ROOT, "scripts/quickstart/main.ts")]);
  let output = "";
  for await (const chunk of child.stdout) {
    output += new TextDecoder().decode(chunk);
    if (`\n${output}`.includes(`\n${step} `)) break;
  }
  child.kill("SIGTERM");
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
  expect(await leftBy(child.pid)).toEqual([]);
});

test("an unknown option is named before anything is done", async () => {
  const { exitCode, stdout, stderr } = await execute([SCRIPT, "--kepp"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain("--kepp");
});
