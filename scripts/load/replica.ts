/** A control plane of a load: `portolan-control serve` as a process of its own, which may be killed and started again. */

import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Service, waitFor } from "../processes/service.ts";

const MAIN = join(import.meta.dir, "../../control-plane/main.ts");
const START_TIMEOUT_MS = 60_000;
/** Of /proc/PID/stat; the same on every Linux that Portolan runs on. */
const TICKS_PER_SECOND = 100;

export interface ReplicaOptions {
  readonly name: string;
  readonly databaseUrl: string;
  /** Where it keeps its things; created. */
  readonly folder: string;
  /** A compiled portolan-control; from source when not given. */
  readonly program?: string | undefined;
}

export interface Usage {
  readonly cpuSeconds: number;
  /** How long its main thread was ready to run while others had the processors: a busy machine, not a slow program. */
  readonly starvedSeconds: number;
  readonly residentBytes: number;
}

export class Replica {
  private readonly options: ReplicaOptions;
  private service: Service;
  readonly url: string;

  private constructor(options: ReplicaOptions, service: Service, url: string) {
    this.options = options;
    this.service = service;
    this.url = url;
  }

  /** @throws Error with all that it wrote, when it does not start */
  static async start(options: ReplicaOptions): Promise<Replica> {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const { service, url } = await serve(options, 0);
    return new Replica(options, service, url);
  }

  /** Ends it in the middle of whatever it does. */
  kill(): Promise<void> {
    return this.service.kill();
  }

  /** After a kill, at the same address. */
  async restart(): Promise<void> {
    const { service } = await serve(this.options, Number(new URL(this.url).port));
    this.service = service;
  }

  stop(): Promise<void> {
    return this.service.stop();
  }

  /** Since it was started. */
  usage(): Usage {
    const { pid } = this.service;
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The fields after the name, which may hold anything but ends with the last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [user, system] = [Number(fields[11]), Number(fields[12])];
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    // Nanoseconds on a processor, nanoseconds waiting for one, turns.
    const [, waitedNs] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ");
    return {
      cpuSeconds: (user + system) / TICKS_PER_SECOND,
      starvedSeconds: Number(waitedNs) / 1e9,
      residentBytes: Number(resident?.[1] ?? 0) * 1_024,
    };
  }

  /** The lines of its log that speak of something wrong. */
  complaints(): string[] {
    return readLog(this.options)
      .split("\n")
      .filter((line) => /\b(?:WARNING|ERROR)\b/.test(line));
  }
}

async function serve(options: ReplicaOptions, port: number): Promise<{ service: Service; url: string }> {
  const program = options.program === undefined ? [process.execPath, MAIN] : [options.program];
  const command = [
    ...program,
    "serve",
    `--listen=127.0.0.1:${port}`,
    `--data-dir=${options.folder}`,
    `--database-url=${options.databaseUrl}`,
    "--log-level=WARNING",
  ];
  // That of an earlier start names an address too.
  rmSync(logFile(options), { force: true });
  const service = new Service(options.name, command, logFile(options), { envBase: "clean" });
  try {
    const url = await waitFor(`the address of ${options.name}`, START_TIMEOUT_MS, [service], async () => {
      return /^Listening on (\S+)$/m.exec(readLog(options))?.[1];
    });
    return { service, url };
  } catch (error) {
    await service.kill();
    throw new Error(`${options.name} did not start:\n${readLog(options)}`, { cause: error });
  }
}

function logFile({ folder }: ReplicaOptions): string {
  return join(folder, "log");
}

function readLog(options: ReplicaOptions): string {
  return existsSync(logFile(options)) ? readFileSync(logFile(options), "utf8") : "";
}
