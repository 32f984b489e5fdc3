/** Which format results are written in, and how it looks. */

import { type FormatName, FORMAT_NAMES, formatOfFile, type Look } from "../output/formats.ts";
import { newPaint } from "../output/terminal-style.ts";
import type { CliContext } from "./context.ts";
import { oneOf, refuse } from "./option-values.ts";
import type { ScanFlags } from "./scan-flags.ts";

/** How nmap and masscan ask for a format: `-oX file`, which is read here as `-o X file`. */
const LETTERS = new Map<string, FormatName>([
  ["N", "table"],
  ["X", "xml"],
  ["G", "grepable"],
  ["L", "list"],
  ["J", "json"],
  ["D", "ndjson"],
]);

/**
 * What `--format` says, else what the file's name says, else a table for people and NDJSON for programs.
 * @throws UsageError
 */
export function reportFormat({ format, output }: ScanFlags, stdoutIsTerminal: boolean): FormatName {
  if (format !== undefined) return oneOf("--format", format, FORMAT_NAMES);
  if (output === undefined) return stdoutIsTerminal ? "table" : "ndjson";
  const letter = LETTERS.get(output);
  if (letter !== undefined) refuse(`-o takes a file, not '${output}'; write -o FILE --format ${letter}`);
  const byName = formatOfFile(output);
  return byName ?? refuse(`the name ${output} says no format; add --format ${FORMAT_NAMES.join("|")}`);
}

/** Colours and live lines are for a terminal; colours only where nobody has refused them (https://no-color.org). */
export function reportLook({ output }: ScanFlags, context: Pick<CliContext, "environment" | "stdout">): Look {
  const isTerminal = output === undefined && context.stdout.isTerminal;
  const { NO_COLOR: refused = "", TERM: terminal } = context.environment;
  return { paint: newPaint(isTerminal && refused === "" && terminal !== "dumb"), isLive: isTerminal };
}
