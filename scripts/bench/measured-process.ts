/**
 * A program under measurement: the packets of its namespace's interface, its CPU time and its memory, as the kernel
 * counts them, without stopping it. The figures are read through /proc, so they cost the program nothing.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Of /proc/PID/stat; the same on every Linux that Portolan runs on. */
const TICKS_PER_SECOND = 100;
const POLL_MS = 2;

export interface Snapshot {
  readonly atMs: number;
  readonly txPackets: number;
  readonly rxPackets: number;
  readonly userSeconds: number;
  readonly systemSeconds: number;
}

export interface Window {
  readonly packetsPerSecond: number;
  /** CPU seconds spent in the program itself for one second, all threads together. */
  readonly userShare: number;
  readonly systemShare: number;
}

export class MeasuredProcess {
  readonly startedMs = performance.now();
  /** Everything that it writes to stdout, once it has ended. */
  readonly output: Promise<string>;
  /** When it wrote something for the first time, as `performance.now()` counts. */
  readonly firstOutput: Promise<number>;
  private readonly child: Bun.Subprocess<"ignore", "pipe", "ignore">;
  private readonly interfaceName: string;
  /** Where it may leave files. */
  private readonly folder = mkdtempSync(join(tmpdir(), "portolan-bench-"));
  private peakBytes = 0;
  private last = { rxPackets: 0, atMs: performance.now() };

  /** @param command already told to run in the interface's namespace */
  constructor(command: readonly string[], interfaceName: string) {
    this.interfaceName = interfaceName;
    this.child = Bun.spawn([...command], {
      cwd: this.folder,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    const { promise, resolve } = Promise.withResolvers<number>();
    this.firstOutput = promise;
    this.output = this.readOutput(resolve);
  }

  /** @returns undefined before the program has entered its namespace, and after its end */
  snapshot(): Snapshot | undefined {
    const proc = `/proc/${this.child.pid}`;
    try {
      const atMs = performance.now();
      const line = readFileSync(`${proc}/net/dev`, "utf8")
        .split("\n")
        .find((text) => text.trimStart().startsWith(`${this.interfaceName}:`));
      if (line === undefined) return undefined;
      const counters = line
        .slice(line.indexOf(":") + 1)
        .trim()
        .split(/\s+/)
        .map(Number);
      const stat = readFileSync(`${proc}/stat`, "utf8");
      // The fields after the name, which may hold anything but ends with the last parenthesis.
      const fields = stat
        .slice(stat.lastIndexOf(")") + 2)
        .split(" ")
        .map(Number);
      this.peakBytes = Math.max(this.peakBytes, peakBytesOf(readFileSync(`${proc}/status`, "utf8")));
      const rxPackets = counters[1] ?? 0;
      if (rxPackets !== this.last.rxPackets) this.last = { rxPackets, atMs };
      return {
        atMs,
        rxPackets,
        txPackets: counters[9] ?? 0,
        userSeconds: (fields[11] ?? 0) / TICKS_PER_SECOND,
        systemSeconds: (fields[12] ?? 0) / TICKS_PER_SECOND,
      };
    } catch {
      // It ended between two reads.
      return undefined;
    }
  }

  /**
   * Asks for snapshots until one fits.
   * @throws Error when the program ends before, or after `timeoutMs`
   */
  async when(fits: (now: Snapshot, first: Snapshot) => boolean, timeoutMs = 20_000): Promise<Snapshot> {
    const untilMs = performance.now() + timeoutMs;
    let first: Snapshot | undefined;
    while (performance.now() < untilMs) {
      const now = this.snapshot();
      if (now === undefined && this.hasEnded()) break;
      if (now !== undefined) {
        first ??= now;
        if (fits(now, first)) return now;
      }
      await Bun.sleep(POLL_MS);
    }
    throw new Error(`${this.child.exitCode ?? "no exit"}: it did not come as far as it should be measured`);
  }

  /** Packets and CPU time while it is under way, after `quietMs` of running in. */
  async window(quietMs: number, lengthMs: number): Promise<Window> {
    await this.when((now, first) => now.txPackets > first.txPackets + 8);
    await Bun.sleep(quietMs);
    const from = await this.when(() => true);
    await Bun.sleep(lengthMs);
    const to = await this.when(() => true);
    const seconds = (to.atMs - from.atMs) / 1_000;
    return {
      packetsPerSecond: (to.txPackets - from.txPackets) / seconds,
      userShare: (to.userSeconds - from.userSeconds) / seconds,
      systemShare: (to.systemSeconds - from.systemSeconds) / seconds,
    };
  }

  hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Waits for its end, looking at its memory meanwhile. */
  async ended(timeoutMs: number): Promise<Finished> {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), timeoutMs);
    while (!this.hasEnded()) {
      this.snapshot();
      await Bun.sleep(20);
    }
    clearTimeout(timer);
    await this.cleanUp();
    const usage = this.child.resourceUsage();
    if (usage === undefined) throw new Error("the kernel told no resource usage of a program that has ended");
    return {
      exitCode: this.child.exitCode ?? -1,
      seconds: (performance.now() - this.startedMs) / 1_000,
      lastAnswerSeconds: (this.last.atMs - this.startedMs) / 1_000,
      userSeconds: Number(usage.cpuTime.user) / 1e6,
      systemSeconds: Number(usage.cpuTime.system) / 1e6,
      peakBytes: this.peakBytes,
      output: await this.output,
    };
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Ends it at once: masscan, for one, waits for packets that never come. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.cleanUp();
  }

  private async cleanUp(): Promise<void> {
    await this.child.exited;
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async readOutput(begun: (atMs: number) => void): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.child.stdout) {
      begun(performance.now());
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  }
}

export interface Finished {
  readonly exitCode: number;
  readonly seconds: number;
  /** When the last packet came in at the interface. */
  readonly lastAnswerSeconds: number;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  /** The most memory that it had resident, by the kernel's own mark. */
  readonly peakBytes: number;
  readonly output: string;
}

function peakBytesOf(status: string): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1_024;
}
