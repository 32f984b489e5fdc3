/**
 * Benchmarks on this machine, printed as one table and written to dist/bench.json. Exit code 1 where a target is missed.
 * Needs root, and the compiled agent (bun run build). Peers that are installed run in the same minutes on the same lab;
 * the machine may be busy with other things, so quote ratios from one run.
 *
 *   --only=NAME[,NAME]   figures to measure, by name (default: all)
 */

import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { errorMessage } from "#shared/errors.ts";
import { fullScan } from "./bench/full-scan.ts";
import { generator } from "./bench/generator.ts";
import { labScan } from "./bench/lab-scan.ts";
import { memory } from "./bench/memory.ts";
import { pacing } from "./bench/pacing.ts";
import { promptness } from "./bench/promptness.ts";
import { formatTable, type Row } from "./bench/row.ts";
import { requireAgent } from "./bench/tools.ts";
import { transmit } from "./bench/transmit.ts";
import { outputOf } from "./processes/command.ts";

const FIGURES: Readonly<Record<string, () => Row[] | Promise<Row[]>>> = {
  generator,
  transmit,
  "full-scan": fullScan,
  "lab-scan": labScan,
  pacing,
  memory,
  promptness,
};

async function main(): Promise<void> {
  const names = wanted();
  requireAgent();
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? "?"}, Linux ${await outputOf(["uname", "-r"])}, Bun ${Bun.version}`;
  process.stdout.write(`${machine}\n`);
  const rows: Row[] = [];
  for (const name of names) {
    process.stderr.write(`measuring ${name}\n`);
    rows.push(...((await FIGURES[name]?.()) ?? []));
  }
  process.stdout.write(formatTable(rows));
  const file = new URL("../dist/bench.json", import.meta.url);
  await Bun.write(file, `${JSON.stringify({ machine, rows }, undefined, 2)}\n`);
  if (rows.some(({ met }) => met === false)) process.exitCode = 1;
}

/** @throws Error naming the figure that is not known */
function wanted(): string[] {
  const { only } = parseArgs({ options: { only: { type: "string" } } }).values;
  const known = Object.keys(FIGURES);
  const names = only === undefined ? known : only.split(",");
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`unknown figure '${unknown}'; known are ${known.join(", ")}`);
  return names;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${errorMessage(error)}\n`);
  process.exit(1);
}
