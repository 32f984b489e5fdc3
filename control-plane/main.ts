#!/usr/bin/env bun
/**
 * portolan-control: the composition root. The only file that reads the environment and the arguments, and that ends
 * the process.
 */

import { homedir } from "node:os";
import { systemClock } from "#shared/clock.ts";
import { formatLogLine, Log } from "#shared/log.ts";
import type { CliContext } from "./cli/context.ts";
import { commandFailure } from "./cli/errors.ts";
import { createProgram } from "./cli/program.ts";
import dashboard from "./dashboard/index.html";
import { runServer } from "./run-server.ts";

const context: CliContext = {
  env: process.env,
  isRoot: process.getuid?.() === 0,
  homeDirectory: homedir(),
  execPath: process.execPath,
  print: (line) => void process.stdout.write(`${line}\n`),
  say: (line) => void process.stderr.write(`${line}\n`),
  stopRequested: () =>
    new Promise((resolve) => {
      for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
    }),
  onReload: (listener) => void process.on("SIGHUP", listener),
};

const program = createProgram(context, systemClock, (config) => {
  const sink = (entry: Parameters<typeof formatLogLine>[0]): void => context.say(formatLogLine(entry));
  const log = new Log(sink, config.logLevel, systemClock.nowMs);
  const ownTarget = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  return runServer(config, { clock: systemClock, log, ownTarget, context, dashboard });
});

try {
  await program.parseAsync(process.argv);
} catch (error) {
  const { exitCode, line } = commandFailure(error);
  if (line !== undefined) context.say(line);
  // Not process.exit(): it would cut off output that a pipe has not taken yet.
  process.exitCode = exitCode;
}
