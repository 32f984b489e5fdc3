/** Runs a command to its end and gives back all of what it said. */

import { type EnvironmentOptions, environmentOf } from "./environment.ts";

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions extends EnvironmentOptions {
  /** What it reads; nothing when not given. */
  readonly stdin?: string;
  /** Where it runs and may leave files; our own directory when not given. */
  readonly cwd?: string;
}

export async function execute(command: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
  const child = Bun.spawn([...command], {
    stdin: options.stdin === undefined ? "ignore" : new TextEncoder().encode(options.stdin),
    stdout: "pipe",
    stderr: "pipe",
    env: environmentOf(options),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

/** Standard output, to the letter, of a command that has to succeed. @throws Error with all that it said */
export async function mustExecute(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await execute(command, options);
  if (exitCode !== 0) {
    throw new Error(`${command.join(" ")} failed with ${exitCode}: ${`${stdout}${stderr}`.trim()}`);
  }
  return stdout;
}

/** The same without white space around it: a value to go on with. @throws Error with all that it said */
export async function outputOf(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  return (await mustExecute(command, options)).trim();
}
