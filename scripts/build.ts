/**
 * Builds both programs into dist/, and puts the agent's source beside them. Options:
 *   --target=linux-amd64|linux-arm64    build for that machine, as dist/<program>-<target> (default: this machine)
 *   --only=agent|control-plane|source   make one of the three
 */

import { existsSync, mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { errorMessage } from "#shared/errors.ts";

interface Architecture {
  readonly bun: string;
  readonly package: string;
  /** As `bun install --cpu` names it. */
  readonly cpu: string;
}

const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  "linux-amd64": { bun: "bun-linux-x64", package: "@oven/bun-linux-x64", cpu: "x64" },
  "linux-arm64": { bun: "bun-linux-arm64", package: "@oven/bun-linux-aarch64", cpu: "arm64" },
};

const PROGRAMS = [
  {
    name: "agent",
    output: "portolan-agent",
    // Workers are entry points of their own, or the compiled program does not find them.
    entries: ["agent/main.ts", "agent/engine/sender.worker.ts", "agent/engine/receiver.worker.ts"],
  },
  { name: "control-plane", output: "portolan-control", entries: ["control-plane/main.ts"] },
] as const;

/** What the agent is built from, for those who review it before they run it. */
const SOURCE = [
  "agent",
  "shared",
  "scripts/build.ts",
  "package.json",
  "bun.lock",
  "bunfig.toml",
  "tsconfig.json",
  "LICENSE",
];

const values = readOptions();
const root = new URL("..", import.meta.url).pathname;

const known = [...PROGRAMS.map(({ name }): string => name), "source"];
if (values.only !== undefined && !known.includes(values.only)) {
  fail(`unknown part '${values.only}'; known are ${known.join(", ")}`);
}
for (const program of PROGRAMS) {
  if (values.only !== undefined && values.only !== program.name) continue;
  await build(program.entries, program.output);
}
if (values.only === undefined || values.only === "source") await packSource();

function readOptions(): { readonly target?: string | undefined; readonly only?: string | undefined } {
  try {
    return parseArgs({ options: { target: { type: "string" }, only: { type: "string" } } }).values;
  } catch (error) {
    return fail(errorMessage(error));
  }
}

async function build(entries: readonly string[], output: string): Promise<void> {
  const target = values.target;
  const architecture = target === undefined ? undefined : ARCHITECTURES[target];
  if (target !== undefined && architecture === undefined) {
    fail(`unknown target '${target}'; known are ${Object.keys(ARCHITECTURES).join(", ")}`);
  }
  const outfile = `dist/${output}${target === undefined ? "" : `-${target}`}`;
  const command = [
    process.execPath,
    "build",
    "--compile",
    ...entries,
    `--outfile=${outfile}`,
    // What a command does not need is not even parsed.
    "--splitting",
    "--format=esm",
    "--minify-syntax",
    "--minify-whitespace",
    "--sourcemap=inline",
    // A service must not read whatever .env lies in its working directory.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    "--compile-exec-argv=--disallow-code-generation-from-strings=strict",
    ...(architecture === undefined ? [] : crossCompile(architecture)),
  ];
  const result = Bun.spawnSync(command, { cwd: root, stdout: "ignore", stderr: "inherit" });
  if (!result.success) fail(`building ${outfile} failed`);
  const size = Bun.file(`${root}${outfile}`).size / 1_000_000;
  await Bun.write(Bun.stdout, `${outfile}  ${size.toFixed(0)} MB\n`);
}

/** The same tree gives the same bytes, whoever packs it and when. */
async function packSource(): Promise<void> {
  const outfile = "dist/portolan-source.tar.gz";
  mkdirSync(`${root}dist`, { recursive: true });
  const command = [
    "tar",
    "--create",
    `--file=${outfile}`,
    "--use-compress-program=gzip -9n",
    "--sort=name",
    "--mtime=@0",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "--mode=u=rwX,go=rX",
    "--transform=s,^,portolan/,",
    ...SOURCE,
  ];
  const result = Bun.spawnSync(command, { cwd: root, stdout: "ignore", stderr: "inherit" });
  if (!result.success) fail(`packing ${outfile} failed`);
  const size = Bun.file(`${root}${outfile}`).size / 1_000_000;
  await Bun.write(Bun.stdout, `${outfile}  ${size.toFixed(1)} MB\n`);
}

/** The runtime of the target comes from the registry too; nothing is downloaded by the compiler. */
function crossCompile(architecture: Architecture): string[] {
  const executable = `${root}node_modules/${architecture.package}/bin/bun`;
  if (!existsSync(executable)) {
    fail(`the runtime for this target is missing: bun install --cpu=${architecture.cpu} --os=linux`);
  }
  return [`--target=${architecture.bun}`, `--compile-executable-path=${executable}`];
}

function fail(message: string): never {
  process.stderr.write(`build: ${message}\n`);
  process.exit(1);
}
