/** The command line as a whole: which commands there are, and how failures become one line and an exit code. */

import { Command, CommanderError } from "commander";
import { errorMessage, PortolanError, UsageError } from "#shared/errors.ts";
import { PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import type { CliContext } from "./context.ts";
import { doctorCommand } from "./doctor.ts";
import { enrollCommand } from "./enroll.ts";
import { EXIT_FAILED, EXIT_USAGE } from "./exit-codes.ts";
import { runCommand } from "./run.ts";
import { scanCommand } from "./scan.ts";
import { versionCommand } from "./version.ts";

/** Runs one command line. Returns the exit code; never throws. */
export async function runProgram(args: readonly string[], context: CliContext): Promise<number> {
  let exitCode = 0;
  const finish = (code: number): void => {
    exitCode = code;
  };
  const program = new Command("portolan-agent")
    .description("Finds open ports. Scans from the terminal, or as an agent of a Portolan control plane.")
    .version(PORTOLAN_VERSION, "-V, --version", "print the version")
    .helpCommand(false)
    .showHelpAfterError(false);
  const commands: Command[] = [
    scanCommand(context, finish, args),
    enrollCommand(context),
    runCommand(context),
    doctorCommand(context, finish),
    versionCommand(context),
  ];
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text: string) => void context.stdout.write(text),
      // Errors are shown below, once.
      writeErr: () => undefined,
    });
  }
  try {
    if (args.length === 0) {
      await context.stderr.write(program.helpInformation());
      return EXIT_USAGE;
    }
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    await context.stderr.write(`portolan-agent: ${oneLine(error)}\n`);
    return exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  return error instanceof UsageError || error instanceof CommanderError ? EXIT_USAGE : EXIT_FAILED;
}

function oneLine(error: unknown): string {
  const known = error instanceof PortolanError || error instanceof CommanderError;
  const text = known ? errorMessage(error) : `internal error: ${errorMessage(error)}`;
  return text.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
}
