/**
 * Composition root of the agent: the only file that reads arguments and environment, handles signals and exits.
 * Worker URLs stand here too, because a compiled program finds its Workers only by URLs in its main file.
 */

import { isatty } from "node:tty";
import type { CliContext, TextOutput } from "./cli/context.ts";
import { EXIT_INTERRUPTED } from "./cli/exit-codes.ts";
import { runProgram } from "./cli/program.ts";
import type { WorkerFactory } from "./engine/engine-worker.ts";

const workers: WorkerFactory = {
  sender: () => new Worker(new URL("./engine/sender.worker.ts", import.meta.url)),
  receiver: () => new Worker(new URL("./engine/receiver.worker.ts", import.meta.url)),
};

function textOutput(stream: NodeJS.WriteStream): TextOutput {
  // A reader that goes away is reported by `write`; without a listener it would end the process.
  stream.on("error", () => undefined);
  return {
    isTerminal: stream.isTTY,
    columns: () => (stream.isTTY ? stream.columns : undefined),
    write: (text) =>
      new Promise((resolve) => {
        stream.write(text, (error) => resolve(error === null || error === undefined));
      }),
  };
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
  stdout: textOutput(process.stdout),
  stderr: textOutput(process.stderr),
  interrupted: interruptSignal(),
  stdinIsTerminal: isatty(0),
  readStdin: () => Bun.stdin.text(),
};

process.exit(await runProgram(process.argv.slice(2), context));
