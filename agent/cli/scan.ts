/** `scan`: a port scan from the terminal. Results as NDJSON on stdout, everything for people on stderr. */

import { type FileHandle, open } from "node:fs/promises";
import { Command } from "commander";
import { errorMessage, UsageError } from "#shared/errors.ts";
import { DEFAULT_PORT_TIMEOUT_MS, DEFAULT_RETRIES } from "#shared/protocol/limits.ts";
import type { ScanSummary } from "#shared/protocol/job.ts";
import { type PortRecord, toPortResult } from "../engine/records.ts";
import { Scan } from "../engine/scan.ts";
import type { CliContext } from "./context.ts";
import { ProgressLine } from "./progress-line.ts";
import { EXIT_INTERRUPTED } from "./exit-codes.ts";
import { type ScanOptions, scanRequest } from "./scan-options.ts";
import { summaryText } from "./summary-text.ts";

const DEFAULT_RATE_PPS = 1_000;

interface Options extends ScanOptions {
  readonly summary?: string;
  readonly quiet?: boolean;
}

export function scanCommand(context: CliContext, finish: (exitCode: number) => void): Command {
  const collect = (value: string, all: readonly string[] | undefined): string[] => [...(all ?? []), value];
  return new Command("scan")
    .description("scan TCP ports of addresses, networks and ranges")
    .argument("<targets...>", "10.0.0.1, 10.0.0.0/24, 10.0.0.1-10.0.0.9, 10.0.0.1-9")
    .option("-p, --ports <spec>", "ports: 22,80-443,!25; '-' is all", "1-1000")
    .option("-r, --rate <pps>", "probes per second, or 'max'", String(DEFAULT_RATE_PPS))
    .option("--exclude <targets>", "leave these out; may be repeated", collect)
    .option("--retries <n>", "further probes to what did not answer", String(DEFAULT_RETRIES))
    .option(
      "--port-timeout <ms>",
      "how long an answer may take, in milliseconds",
      String(DEFAULT_PORT_TIMEOUT_MS),
    )
    .option("--max-runtime <s>", "stop after this many seconds (default: no limit)")
    .option("--link <name>", "auto, packet, raw or connect", "auto")
    .option("--seed <n>", "order of the probes (default: random)")
    .option("--show <states>", "open, closed, filtered or all", "open")
    .option("--summary <file>", "write the run's summary as JSON")
    .option("-q, --quiet", "nothing on stderr but errors")
    .action((targets: string[], options: Options) => runScan(context, targets, options, finish));
}

async function runScan(
  context: CliContext,
  targets: readonly string[],
  options: Options,
  finish: (exitCode: number) => void,
): Promise<void> {
  const request = scanRequest(targets, options);
  const tell = async (text: string): Promise<void> => {
    if (options.quiet !== true) await context.stderr.write(text);
  };
  const note = (message: string): void => void tell(`note: ${message}\n`);
  const scan = new Scan(request, note);
  // Opened before the scan: an hour of work must not end at a file that cannot be written.
  const summaryFile = options.summary === undefined ? undefined : await openForWriting(options.summary);

  const stop = (): void => scan.stop("interrupted");
  if (context.interrupted.aborted) stop();
  context.interrupted.addEventListener("abort", stop);
  const progress = new ProgressLine(scan, context.stderr, options.quiet !== true);
  progress.start();
  let summary: ScanSummary;
  try {
    summary = await scan.run(context.workers, {
      note,
      async records(records) {
        // On a terminal both streams share the line.
        if (context.stdout.isTerminal) progress.clear();
        const taken = await context.stdout.write(records.map(recordLine).join(""));
        // Nobody reads any more, as with `| head`: there is no use in going on.
        if (!taken) stop();
      },
    });
  } finally {
    progress.stop();
    context.interrupted.removeEventListener("abort", stop);
  }
  await context.stdout.write(`${JSON.stringify({ type: "summary", ...summary })}\n`);
  await tell(summaryText(summary));
  if (summaryFile !== undefined) {
    await summaryFile.writeFile(`${JSON.stringify(summary, undefined, 2)}\n`);
    await summaryFile.close();
  }
  if (summary.ended === "interrupted") finish(EXIT_INTERRUPTED);
}

function recordLine(record: PortRecord): string {
  return `${JSON.stringify({ type: "port", ...toPortResult(record) })}\n`;
}

async function openForWriting(path: string): Promise<FileHandle> {
  try {
    return await open(path, "w");
  } catch (cause) {
    throw new UsageError("FILE_NOT_WRITABLE", `cannot write ${path}: ${errorMessage(cause)}`, { cause });
  }
}
