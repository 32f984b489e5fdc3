/** Runs a command to its end and keeps what it said. */

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** @param options.env the whole environment beside PATH and HOME: what the tests run under must not change them */
export async function runCommand(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = Bun.spawn([...command], {
    stdin: options.stdin === undefined ? "ignore" : new TextEncoder().encode(options.stdin),
    stdout: "pipe",
    stderr: "pipe",
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: "/root",
      ...options.env,
    },
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

/** @returns what it wrote to stdout @throws Error with all that it said, when it fails */
export async function mustRun(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(command, options);
  if (exitCode !== 0) {
    throw new Error(`${command.join(" ")} ended with ${exitCode}:\n${stdout}${stderr}`);
  }
  return stdout;
}

/**
 * Asks until the answer is there. How long that takes decides nothing but when the test gives up.
 * @throws Error naming what did not come
 */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const giveUpMs = performance.now() + 40_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > giveUpMs) throw new Error(`${what} did not come`);
    await Bun.sleep(100);
  }
}
