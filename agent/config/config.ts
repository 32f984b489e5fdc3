/**
 * The agent's configuration: defaults < YAML file < environment < flags, put together once into one frozen object.
 * The environment's names are Portolan's own and, for drop-in use, those of Open Port Monitor scanners.
 */

import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { errorMessage, UsageError } from "#shared/errors.ts";
import { type LogLevel, parseLogLevel } from "#shared/log.ts";
import { parseServerUrl } from "./server-url.ts";

export const DEFAULT_CONFIG_FILE = "/etc/portolan/agent.yaml";
export const DEFAULT_STATE_DIR = "/var/lib/portolan";
export const DEFAULT_CONCURRENT_SCANS = 2;
/** Each takes threads and memory of its own. */
export const MAX_CONCURRENT_SCANS = 16;

export interface AgentConfig {
  /** Without a trailing slash; undefined until somebody names one. */
  readonly server: string | undefined;
  readonly stateDir: string;
  /** PEM file of the authority that signed the control plane's certificate, where the system's do not know it. */
  readonly caFile: string | undefined;
  readonly allowPlainHttp: boolean;
  readonly logLevel: LogLevel;
  /** Probes a second of all scans together, whatever a job may ask for; 0 is unlimited. */
  readonly maxRatePps: number;
  /** Jobs that run at a time. */
  readonly maxConcurrentScans: number;
  /** A key given from outside; usually it lies in the state directory instead. */
  readonly apiKey: string | undefined;
}

const fileSchema = z.strictObject({
  server: z.string().optional(),
  state_dir: z.string().min(1).optional(),
  ca_file: z.string().min(1).optional(),
  allow_plain_http: z.boolean().optional(),
  log_level: z.string().optional(),
  max_rate: z.number().min(0).optional(),
  max_concurrent_scans: z.int().min(1).max(MAX_CONCURRENT_SCANS).optional(),
});

export interface ConfigFlags {
  readonly config?: string | undefined;
  readonly server?: string | undefined;
  readonly stateDir?: string | undefined;
  readonly caFile?: string | undefined;
  readonly allowPlainHttp?: boolean | undefined;
  readonly logLevel?: string | undefined;
  readonly maxRate?: string | undefined;
  readonly maxConcurrentScans?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws UsageError INVALID_CONFIG, INVALID_SERVER */
export function loadConfig(flags: ConfigFlags, environment: Environment): AgentConfig {
  const file = readConfigFile(firstSet(flags.config, environment["PORTOLAN_CONFIG"]));
  const server = firstSet(
    flags.server,
    environment["PORTOLAN_SERVER"],
    environment["BACKEND_URL"],
    file.server,
  );
  const allowPlainHttp =
    flags.allowPlainHttp ??
    switchOf("PORTOLAN_ALLOW_PLAIN_HTTP", environment) ??
    file.allow_plain_http ??
    false;
  return Object.freeze({
    server: server === undefined ? undefined : parseServerUrl(server, allowPlainHttp),
    stateDir:
      firstSet(flags.stateDir, environment["PORTOLAN_STATE_DIR"], file.state_dir) ?? DEFAULT_STATE_DIR,
    caFile: firstSet(flags.caFile, environment["PORTOLAN_CA_FILE"], file.ca_file),
    allowPlainHttp,
    logLevel: parseLogLevel(firstSet(flags.logLevel, environment["LOG_LEVEL"], file.log_level)),
    maxRatePps: rateOf(firstSet(flags.maxRate, environment["PORTOLAN_MAX_RATE"])) ?? file.max_rate ?? 0,
    maxConcurrentScans:
      concurrencyOf(firstSet(flags.maxConcurrentScans, environment["PORTOLAN_MAX_CONCURRENT_SCANS"])) ??
      file.max_concurrent_scans ??
      DEFAULT_CONCURRENT_SCANS,
    apiKey: firstSet(environment["API_KEY"]?.trim()),
  });
}

/** A variable that is a switch. Undefined where it is not set. */
function switchOf(name: string, environment: Environment): boolean | undefined {
  const value = environment[name]?.trim().toLowerCase() ?? "";
  if (value === "") return undefined;
  if (value === "1" || value === "true" || value === "yes") return true;
  if (value === "0" || value === "false" || value === "no") return false;
  throw new UsageError("INVALID_CONFIG", `${name} must be 1 or 0, not '${value}'`);
}

/** A rate from the environment or a flag. Undefined where none is given. */
function rateOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ratePps = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(ratePps)) return ratePps;
  throw new UsageError("INVALID_CONFIG", `the maximum rate must be probes a second, not '${text}'`);
}

/** A number of scans from the environment or a flag. Undefined where none is given. */
function concurrencyOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (count >= 1 && count <= MAX_CONCURRENT_SCANS) return count;
  throw new UsageError(
    "INVALID_CONFIG",
    `the number of concurrent scans must be from 1 to ${MAX_CONCURRENT_SCANS}, not '${text}'`,
  );
}

/** The first that is there and not empty: an empty environment variable counts as unset. */
function firstSet(...values: readonly (string | undefined)[]): string | undefined {
  return values.find((value) => value !== undefined && value !== "");
}

/** A file that was named must be there; the default one may be missing. */
function readConfigFile(named: string | undefined): z.infer<typeof fileSchema> {
  const path = named ?? DEFAULT_CONFIG_FILE;
  if (!existsSync(path)) {
    if (named === undefined) return {};
    throw new UsageError("INVALID_CONFIG", `configuration file ${path} does not exist`);
  }
  let content: unknown;
  try {
    content = parse(readFileSync(path, "utf8")) ?? {};
  } catch (cause) {
    throw new UsageError("INVALID_CONFIG", `cannot read ${path}: ${errorMessage(cause)}`, { cause });
  }
  const parsed = fileSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError("INVALID_CONFIG", `${path}: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`);
}
