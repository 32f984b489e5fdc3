/**
 * This machine as a host to install on: its whole file system, every change to which goes to memory and is gone after.
 * Processes are in a namespace of their own and end with it. Network and user ids are the machine's; systemd is not
 * to be seen.
 */

import { existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandOptions, execute, mustExecute, type Outcome, outputOf } from "../processes/command.ts";
import { Service } from "../processes/service.ts";
import { INSTALL_SCRIPT } from "./programs.ts";

/**
 * Runs as the first process of the namespaces. Tells its id as the machine knows it, then waits until the tests let go
 * of its input, in whatever way they end. `cat` keeps a process id namespace alive only as its first process.
 */
const KEEPER = `
set -eu
read -r pid rest </proc/self/stat
cd "$0"
mount -t tmpfs -o mode=755 tmpfs .
cd "$0"
mkdir upper work root
mount -t overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" overlay root
mount --rbind /dev root/dev
mount --rbind /sys root/sys
mount -t proc proc root/proc
mount -t tmpfs -o mode=755 tmpfs root/run
echo "$pid"
exec chroot root cat
`;

export type HostOptions = Omit<CommandOptions, "envBase">;

export class ThrowawayHost {
  private readonly keeper: Bun.Subprocess<"pipe", "pipe", "inherit">;
  private readonly pid: string;
  private readonly directory: string;

  private constructor(keeper: Bun.Subprocess<"pipe", "pipe", "inherit">, pid: string, directory: string) {
    this.keeper = keeper;
    this.pid = pid;
    this.directory = directory;
  }

  static async create(): Promise<ThrowawayHost> {
    const directory = mkdtempSync(join(tmpdir(), "portolan-host-"));
    const unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"];
    const keeper = Bun.spawn([...unshare, "sh", "-c", KEEPER, directory], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    const { value } = await keeper.stdout.getReader().read();
    const pid = new TextDecoder().decode(value).trim();
    if (pid === "") {
      rmdirSync(directory);
      throw new Error("no overlay of this file system can be made; see the line above");
    }
    const host = new ThrowawayHost(keeper, pid, directory);
    // In case the machine itself is a scanner.
    await host.must(`sh '${INSTALL_SCRIPT}' --uninstall --purge`);
    return host;
  }

  /** Runs a line of shell as root there. */
  run(script: string, options: HostOptions = {}): Promise<Outcome> {
    return execute(this.entering(script), { envBase: "clean", ...options });
  }

  must(script: string, options: HostOptions = {}): Promise<string> {
    return mustExecute(this.entering(script), { envBase: "clean", ...options });
  }

  /** Starts a program there, by a line of shell. What is left of it when it is stopped goes with the host. */
  start(name: string, command: string): Service {
    return new Service(name, this.entering(`exec ${command}`), "/dev/null", { envBase: "clean" });
  }

  private entering(script: string): string[] {
    return [...this.beside(["--pid"]), "chroot", join(this.directory, "root"), "sh", "-c", script];
  }

  /** Enters the namespaces, but not the overlay. */
  private beside(more: readonly string[]): string[] {
    return ["nsenter", `--target=${this.pid}`, "--mount", ...more];
  }

  async exists(path: string): Promise<boolean> {
    return (await this.run(`test -e '${path}'`)).exitCode === 0;
  }

  /** Everything on it that differs from the machine: type, mode, owner, path. */
  async changes(): Promise<string[]> {
    const upper = join(this.directory, "upper");
    const find = ["find", upper, "-mindepth", "1", "-printf", "%y %#m %u:%g %P\\n"];
    const lines = (await outputOf([...this.beside([]), ...find])).split("\n");
    // A directory of the machine shows up as soon as something in it is touched, even if that is gone again.
    const isTrace = (line: string): boolean =>
      line.startsWith("d ") && existsSync(`/${line.split(" ").slice(3).join(" ")}`);
    return lines.filter((line) => line !== "" && !isTrace(line)).toSorted();
  }

  async remove(): Promise<void> {
    this.keeper.stdin.end();
    await this.keeper.exited;
    rmdirSync(this.directory);
  }
}
