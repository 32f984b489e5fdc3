/** What commands may touch of the process: given by main.ts, so that nothing else reads it. */

export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
  readonly homeDirectory: string;
  /** Path of the running executable: the compiled program, or bun. */
  readonly execPath: string;
  /** One line for programs. */
  print(line: string): void;
  /** One line for people. */
  say(line: string): void;
  /** Resolves when the process is asked to stop. Until it is called, such a request ends the process at once. */
  stopRequested(): Promise<void>;
  /** Calls back each time the process is asked to read its files again (SIGHUP), which until then would end it. */
  onReload(listener: () => void): void;
}
