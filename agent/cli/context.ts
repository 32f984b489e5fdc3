/** What a command may touch of the process. Made by the composition root, so that commands read no globals. */

import type { WorkerFactory } from "../engine/engine-worker.ts";

export interface CliContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workers: WorkerFactory;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  /** Aborts at the first SIGINT or SIGTERM. The second ends the process at once. */
  readonly interrupted: AbortSignal;
  readonly stdinIsTerminal: boolean;
  /** All of standard input, for secrets that must not stand on a command line. */
  readStdin(): Promise<string>;
  /** Standard input piece by piece, for lists that may be long. */
  stdin(): AsyncIterable<Uint8Array>;
}

export interface TextOutput {
  readonly isTerminal: boolean;
  /** How many characters fit on a line; undefined where it is no terminal. */
  columns(): number | undefined;
  /**
   * Resolves when the text was taken. False when the reader has gone away.
   * Rejects with OUTPUT_FAILED where results cannot be written for another reason, a full disk say.
   */
  write(text: string | Uint8Array): Promise<boolean>;
}
