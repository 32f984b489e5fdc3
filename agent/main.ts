/**
 * Composition root of the agent: the only file that reads arguments and environment, handles signals and exits.
 * Worker URLs stand here too, because a compiled program finds its Workers only by URLs in its main file.
 */

import { isatty } from "node:tty";
import { errorMessage, PortolanError } from "#shared/errors.ts";
import type { CliContext, TextOutput } from "./cli/context.ts";
import { EXIT_INTERRUPTED } from "./cli/exit-codes.ts";
import { runProgram } from "./cli/program.ts";
import type { WorkerFactory } from "./engine/engine-worker.ts";

const workers: WorkerFactory = {
  sender: () => new Worker(new URL("./engine/sender.worker.ts", import.meta.url)),
  receiver: () => new Worker(new URL("./engine/receiver.worker.ts", import.meta.url)),
};

/** @param name of what is lost when it cannot be written; undefined where nothing is, and nobody could be told */
function textOutput(stream: NodeJS.WriteStream, name: string | undefined): TextOutput {
  // A reader that goes away is reported by `write`; without a listener it would end the process.
  stream.on("error", () => undefined);
  return {
    isTerminal: stream.isTTY,
    columns: () => (stream.isTTY ? stream.columns : undefined),
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => {
          const code = error === null || error === undefined ? undefined : codeOf(error);
          if (code === undefined || code === "EPIPE" || name === undefined) resolve(code === undefined);
          else reject(new PortolanError("OUTPUT_FAILED", `cannot write to ${name}: ${errorMessage(error)}`));
        });
      }),
  };
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "UNKNOWN";
}

function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    controller.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return controller.signal;
}

const context: CliContext = {
  environment: process.env,
  workers,
  stdout: textOutput(process.stdout, "standard output"),
  stderr: textOutput(process.stderr, undefined),
  interrupted: interruptSignal(),
  stdinIsTerminal: isatty(0),
  readStdin: () => Bun.stdin.text(),
  stdin: () => Bun.stdin.stream(),
};

process.exit(await runProgram(process.argv.slice(2), context));
