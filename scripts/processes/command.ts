/** Runs a command to its end and gives back all of what it said. */

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function execute(
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const child = Bun.spawn([...command], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...environment },
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

/** Standard output of a command that succeeds. @throws Error with what it wrote to stderr */
export async function outputOf(
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await execute(command, environment);
  if (exitCode !== 0) throw new Error(`${command.join(" ")} failed with ${exitCode}: ${stderr.trim()}`);
  return stdout.trim();
}
