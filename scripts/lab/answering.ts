/** Starts the programs that answer inside a lab, and waits until they do. */

import { inNamespace } from "./namespaces.ts";

export type AnsweringProgram = Bun.Subprocess<"ignore", "pipe", "inherit">;

/** What such a program writes when it is ready. */
export const READY = "ready\n";

/**
 * @param program file beside this one
 * @throws Error where it ends before it is ready
 */
export async function startAnswering(
  namespace: string,
  program: string,
  words: readonly string[] = [],
): Promise<AnsweringProgram> {
  const path = new URL(program, import.meta.url).pathname;
  // Should we be killed, it ends too, and its namespace with it.
  const command = ["setpriv", "--pdeathsig=KILL", process.execPath, path, ...words];
  const child = Bun.spawn(inNamespace(namespace, command), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  for await (const chunk of child.stdout) {
    if (new TextDecoder().decode(chunk).includes(READY)) return child;
  }
  throw new Error(`${program} ended early with exit code ${await child.exited}`);
}

export async function stopAnswering(child: AnsweringProgram): Promise<void> {
  child.kill();
  await child.exited;
}
