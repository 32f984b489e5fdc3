/** How errors end a command: one line on stderr and the exit code. */

import { CommanderError } from "commander";
import { errorMessage, PortolanError, UsageError } from "#shared/errors.ts";
import type { ScanView } from "#shared/protocol/operator.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** A scan that was waited for did not complete. What there is to say has been said. */
export class ScanNotCompleted extends PortolanError {
  override readonly name = "ScanNotCompleted";

  constructor(scan: ScanView) {
    super("SCAN_NOT_COMPLETED", scan.errorMessage ?? `the scan was ${scan.status}`);
  }
}

export interface CommandFailure {
  readonly exitCode: number;
  /** Absent where there is nothing more to say. */
  readonly line: string | undefined;
}

export function commandFailure(error: unknown): CommandFailure {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { exitCode: 0, line: undefined };
    // Commander's text begins with `error: ` and may go on over several lines.
    const [first = ""] = error.message.replace(/^error: /, "").split("\n");
    const line = error.code === "commander.help" ? undefined : oneLine(first);
    return { exitCode: EXIT_USAGE, line };
  }
  return {
    exitCode: error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED,
    line: oneLine(errorMessage(error)),
  };
}

function oneLine(text: string): string {
  return `portolan-control: ${text.replaceAll(/\s*[\r\n]+\s*/g, " ")}`;
}
