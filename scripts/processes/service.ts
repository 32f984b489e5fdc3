/** A program that runs beside the quick start or a test: started, waited for, and always ended. */

import { closeSync, openSync } from "node:fs";
import { type EnvironmentOptions, environmentOf } from "./environment.ts";

const STOP_TIMEOUT_MS = 10_000;

export class Service {
  private readonly child: Bun.Subprocess;
  private readonly name: string;

  /** @param logPath gets everything the program writes */
  constructor(name: string, command: readonly string[], logPath: string, options: EnvironmentOptions = {}) {
    this.name = name;
    const log = openSync(logPath, "a", 0o600);
    // Should we be killed, it ends too.
    this.child = Bun.spawn(["setpriv", "--pdeathsig=TERM", ...command], {
      stdin: "ignore",
      stdout: log,
      stderr: log,
      env: environmentOf(options),
    });
    closeSync(log);
  }

  get pid(): number {
    return this.child.pid;
  }

  /** @throws Error where it has ended by itself */
  assertRunning(): void {
    const { exitCode, signalCode } = this.child;
    if (exitCode !== null) throw new Error(`${this.name} ended with exit code ${exitCode}`);
    if (signalCode !== null) throw new Error(`${this.name} was ended by ${signalCode}`);
  }

  /** Ends it without warning, as a crash would. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.exited;
  }

  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.child.exited;
    clearTimeout(timer);
  }
}

/** Asks again until there is an answer. @throws Error after `timeoutMs`, or when a service has ended meanwhile */
export async function waitFor<T>(
  what: string,
  timeoutMs: number,
  services: readonly Service[],
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    for (const service of services) service.assertRunning();
    if (performance.now() > untilMs)
      throw new Error(`gave up waiting for ${what} after ${timeoutMs / 1_000} s`);
    await Bun.sleep(200);
  }
}
