/** `scan`: a scan from the terminal. Results on stdout or in a file, everything for people on stderr. */

import { Command } from "commander";
import type { DryRunFormat } from "../engine/dry-run.ts";
import type { ScanRequest } from "../engine/plan.ts";
import type { CliContext } from "./context.ts";
import { dryRun } from "./dry-run.ts";
import { refuse } from "./option-values.ts";
import { refuseSharedFiles } from "./output-files.ts";
import { reportFormat, reportLook } from "./output-options.ts";
import { fileSink, outputSink } from "./output-sink.ts";
import type { ResumedScan } from "./resume-file.ts";
import { requireSameScope } from "./resumed-scope.ts";
import { addScanFlags, type ScanFlags, type TunableFlags } from "./scan-flags.ts";
import { refuseContradictions, requireTargets, scanRequest, scanScope } from "./scan-options.ts";
import { runScan } from "./scan-run.ts";
import { readTargets } from "./scan-targets.ts";
import { shellWord } from "./shell-word.ts";

/** @param args the whole command line, for reports to quote */
export function scanCommand(
  context: CliContext,
  finish: (exitCode: number) => void,
  args: readonly string[],
): Command {
  const command = new Command("scan").description("scan ports of addresses, networks, ranges and hosts");
  return addScanFlags(command).action(async (words: string[], flags: ScanFlags) => {
    refuseContradictions(flags);
    refuseSharedFiles(flags);
    if (flags.dryRun === true) {
      finish(await listProbes((await readRequest(words, flags, context)).request, flags, context));
      return;
    }
    const format = reportFormat(flags, context.stdout.isTerminal);
    const { request, tunable } = await readRequest(words, flags, context);
    const exitCode = await runScan(context, {
      request,
      tunable,
      discoverFirst: flags.discover === true,
      commandLine: ["portolan-agent", ...args].map(shellWord).join(" "),
      format,
      look: reportLook(flags, context),
      outputPath: flags.output,
      summaryPath: flags.summary,
      isQuiet: flags.quiet === true,
    });
    finish(exitCode);
  });
}

/** @throws UsageError naming the word, flag or file that is wrong */
async function readRequest(
  words: readonly string[],
  flags: ScanFlags,
  context: CliContext,
): Promise<{ readonly request: ScanRequest; readonly tunable: TunableFlags }> {
  const resumed = flags.resume === undefined ? undefined : await readResumed(flags.resume);
  const addresses = await readTargets(words, flags, context);
  if (resumed !== undefined) requireSameScope(resumed.scope, addresses, flags);
  const scope = resumed?.scope ?? scanScope(requireTargets(addresses), flags);
  const tunable = { ...resumed?.flags, ...flags };
  const request = scanRequest(scope, tunable, { resume: resumed?.point, capturePath: flags.pcap });
  return { request, tunable };
}

async function readResumed(path: string): Promise<ResumedScan> {
  // Loaded when asked for: most scans begin at the beginning, and its schema takes a while.
  const { readResumeFile } = await import("./resume-file.ts");
  return readResumeFile(path);
}

async function listProbes(request: ScanRequest, flags: ScanFlags, context: CliContext): Promise<number> {
  const format: DryRunFormat = flags.format === "binary" ? "binary" : "text";
  if (format === "binary" && flags.output === undefined && context.stdout.isTerminal) {
    refuse("--format binary is not for terminals; add --output FILE, or pipe it into a program");
  }
  const sink = flags.output === undefined ? outputSink(context.stdout) : await fileSink(flags.output);
  try {
    return await dryRun(request, format, sink, context.interrupted);
  } finally {
    await sink.close();
  }
}
