/** The real program in processes of its own: commands that run to their end, and servers on any free port. */

import { join } from "node:path";

const MAIN = join(import.meta.dir, "..", "main.ts");

type Environment = Readonly<Record<string, string>>;

export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ServingProgram {
  readonly url: string;
  /** Asks it to read its files again (SIGHUP). */
  reload(): void;
  /** Asks it to stop. @returns the exit code */
  stop(): Promise<number>;
}

/** Runs a command to its end, with no more of the environment than given. */
export async function runProgram(args: readonly string[], env: Environment): Promise<Run> {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    stdout: "pipe",
    stderr: "pipe",
    stdin: "ignore",
    env: { PATH: process.env["PATH"] ?? "", ...env },
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { exitCode: await child.exited, stdout, stderr };
}

/** Returns once it listens. */
export async function startServe(args: readonly string[], env: Environment): Promise<ServingProgram> {
  const child = Bun.spawn(
    [process.execPath, MAIN, "serve", "--listen", "127.0.0.1:0", "--log-level", "warning", ...args],
    {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
      env: { PATH: process.env["PATH"] ?? "", ...env },
    },
  );
  return {
    url: await readUrl(child.stdout),
    reload: () => child.kill("SIGHUP"),
    stop: () => {
      child.kill("SIGTERM");
      return child.exited;
    },
  };
}

async function readUrl(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const url = /^Listening on (\S+)\n/m.exec(text)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`the server ended before it listened: ${text}`);
}
