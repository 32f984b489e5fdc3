/**
 * Heartbeats of many scanners, each waiting for a job as well, on one control plane, as they would come: every 60 s
 * each. Prints how long they took. Exit code 1 when 99 of 100 took 50 ms or longer, or one failed.
 *
 *   --database=sqlite|postgres   which to run on (default: one after the other)
 *   --scanners=N                 default 10000
 *   --seconds=N                  measured, after a minute in which the polls arrive (default 120)
 *   --program=FILE               a compiled portolan-control (default: from source)
 */

import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { backoffDelayMs, SCANNER_BACKOFF } from "#shared/backoff.ts";
import { errorMessage } from "#shared/errors.ts";
import { HEARTBEAT_INTERVAL_MS, MAX_POLL_WAIT_SECONDS } from "#shared/protocol/limits.ts";
import { API_KEY_HEADER, type HeartbeatRequest } from "#shared/protocol/scanner.ts";
import { migrate } from "../../control-plane/store/migrate.ts";
import { MIGRATIONS } from "../../control-plane/store/migrations/all.ts";
import { openStore } from "../../control-plane/store/store.ts";
import { PostgresServer } from "../../control-plane/store/testing/postgres.ts";
import { type FleetScanner, provisionFleet } from "./fleet.ts";
import { Latencies } from "./latencies.ts";
import { hasManyRequests } from "./many-requests.ts";
import { Replica } from "./replica.ts";

const TARGET_P99_MS = 50;
/** Polls come one by one, as agents do that were started at different times. */
const WARM_UP_MS = 60_000;
const DATABASES = ["sqlite", "postgres"] as const;
type DatabaseKind = (typeof DATABASES)[number];

interface Options {
  readonly databases: readonly DatabaseKind[];
  readonly scanners: number;
  readonly seconds: number;
  readonly program: string | undefined;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      database: { type: "string" },
      scanners: { type: "string", default: "10000" },
      seconds: { type: "string", default: "120" },
      program: { type: "string" },
    },
  });
  const databases = DATABASES.filter((kind) => values.database === undefined || values.database === kind);
  if (databases.length === 0) throw new Error(`unknown database '${values.database}'`);
  return {
    databases,
    scanners: wholeNumber(values.scanners, 1, 10_000),
    seconds: wholeNumber(values.seconds, 1, 3_600),
    program: values.program,
  };
}

function wholeNumber(text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`'${text}' is no whole number from ${min} to ${max}`);
}

/** Returns whether the target was met. */
async function measure(kind: DatabaseKind, options: Options): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-load-"));
  const postgres = kind === "postgres" ? await PostgresServer.start() : undefined;
  try {
    const databaseUrl = (await postgres?.createDatabase()) ?? `sqlite:${join(folder, "portolan.sqlite")}`;
    const fleet = await prepare(databaseUrl, options.scanners);
    const replica = await Replica.start({
      name: "control plane",
      databaseUrl,
      folder,
      program: options.program,
    });
    try {
      return await load(kind, replica, fleet, options);
    } finally {
      await replica.stop();
    }
  } finally {
    await postgres?.stop();
    rmSync(folder, { recursive: true });
  }
}

async function prepare(databaseUrl: string, scanners: number): Promise<FleetScanner[]> {
  const store = openStore(databaseUrl);
  try {
    await migrate(store, MIGRATIONS);
    return await provisionFleet(store, scanners);
  } finally {
    await store.close();
  }
}

/** Not an AbortSignal: of one that ten thousand listen to, each new listener is compared with all before it. */
interface Run {
  isOver: boolean;
}

interface Measured {
  readonly heartbeats: Latencies;
  /** By how much polls that found nothing waited too long. */
  readonly polls: Latencies;
}

async function load(
  kind: DatabaseKind,
  replica: Replica,
  fleet: readonly FleetScanner[],
  { seconds }: Options,
): Promise<boolean> {
  const run: Run = { isOver: false };
  const measured: Measured = { heartbeats: new Latencies(), polls: new Latencies() };
  const startMs = performance.now() + WARM_UP_MS;
  for (const [index, scanner] of fleet.entries()) {
    const phaseMs = (index / fleet.length) * HEARTBEAT_INTERVAL_MS;
    void sendHeartbeats(replica.url, scanner, phaseMs, startMs, measured.heartbeats, run);
    void pollJobs(replica.url, scanner, phaseMs, startMs, measured.polls, run);
  }
  await Bun.sleep(WARM_UP_MS);
  const before = replica.usage();
  await Bun.sleep(seconds * 1_000);
  const after = replica.usage();
  run.isOver = true;

  const { heartbeats, polls } = measured;
  const cpu = (100 * (after.cpuSeconds - before.cpuSeconds)) / seconds;
  const starved = (100 * (after.starvedSeconds - before.starvedSeconds)) / seconds;
  const met = heartbeats.quantile(0.99) < TARGET_P99_MS && heartbeats.errorCount + polls.errorCount === 0;
  const lines = [
    `${kind}: ${fleet.length} scanners, ${seconds} s, ${(heartbeats.count / seconds).toFixed(0)} heartbeats/s`,
    `  heartbeats  ${heartbeats.describe()}`,
    `  polls       ${polls.describe()} later than asked for`,
    `  server      ${cpu.toFixed(0)} % of one CPU, kept from it by others for ${starved.toFixed(0)} % of the time, ${(after.residentBytes / 2 ** 20).toFixed(0)} MiB resident`,
    `  log         ${replica.complaints().length} warnings and errors`,
    `  ${met ? "ok" : "MISSED"}: 99 of 100 heartbeats in less than ${TARGET_P99_MS} ms, and no errors`,
  ];
  for (const complaint of replica.complaints().slice(0, 5)) lines.push(`  ${complaint}`);
  process.stdout.write(`${lines.join("\n")}\n`);
  return met;
}

/** Against a clock that does not wait for answers: a slow server gets no fewer heartbeats, and its slowness is seen. */
async function sendHeartbeats(
  url: string,
  { apiKey, name }: FleetScanner,
  phaseMs: number,
  measureFromMs: number,
  latencies: Latencies,
  run: Run,
): Promise<void> {
  let dueMs = performance.now() + phaseMs;
  for (let beat = 0; ; beat++, dueMs += HEARTBEAT_INTERVAL_MS) {
    await sleepUntil(dueMs);
    if (run.isOver) return;
    const startMs = performance.now();
    const answer = await call(`${url}/scanner/heartbeat`, apiKey, heartbeatOf(name, beat));
    if (run.isOver || startMs < measureFromMs) continue;
    if (answer === "ok") latencies.add(performance.now() - startMs);
    else latencies.addError(answer);
  }
}

async function pollJobs(
  url: string,
  { apiKey }: FleetScanner,
  phaseMs: number,
  measureFromMs: number,
  latencies: Latencies,
  run: Run,
): Promise<void> {
  await sleepUntil(performance.now() + phaseMs);
  let failures = 0;
  while (!run.isOver) {
    const startMs = performance.now();
    const answer = await call(`${url}/scanner/jobs?wait=${MAX_POLL_WAIT_SECONDS}`, apiKey);
    if (run.isOver) return;
    const lateMs = performance.now() - startMs - MAX_POLL_WAIT_SECONDS * 1_000;
    if (answer !== "ok") {
      latencies.addError(answer);
      failures++;
      await Bun.sleep(backoffDelayMs(SCANNER_BACKOFF, failures, Math.random()));
      continue;
    }
    failures = 0;
    if (startMs >= measureFromMs - MAX_POLL_WAIT_SECONDS * 1_000) latencies.add(lateMs);
  }
}

/** Returns `ok`, or what went wrong. */
async function call(url: string, apiKey: string, body?: object): Promise<string> {
  try {
    const response = await fetch(url, {
      method: body === undefined ? "GET" : "POST",
      headers: { [API_KEY_HEADER]: apiKey, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return response.ok ? "ok" : `${response.status} ${text.slice(0, 100)}`;
  } catch (error) {
    return errorMessage(error);
  }
}

/** As agents send it. */
function heartbeatOf(name: string, beat: number): HeartbeatRequest {
  return {
    version: "0.1.0",
    hostname: name,
    internalIp: "192.0.2.7",
    capabilities: ["connect", "syn", "ipv6", "udp"],
    metrics: {
      loadAvg1m: 0.5 + (beat % 10) / 10,
      loadAvg5m: 0.6,
      loadAvg15m: 0.7,
      memoryTotalBytes: 8_000_000_000,
      memoryAvailableBytes: 4_000_000_000 + beat * 4_096,
      networkRxBytes: 1_000_000 * beat,
      networkTxBytes: 2_000_000 * beat,
      numCpus: 4,
    },
  };
}

function sleepUntil(atMs: number): Promise<void> {
  return Bun.sleep(Math.max(0, atMs - performance.now()));
}

try {
  const options = readOptions();
  if (await hasManyRequests()) {
    process.stdout.write(`${cpus().length} × ${cpus()[0]?.model ?? "?"}, Bun ${Bun.version}\n`);
    for (const kind of options.databases) if (!(await measure(kind, options))) process.exitCode = 1;
  }
} catch (error) {
  process.stderr.write(`heartbeats: ${errorMessage(error)}\n`);
  process.exitCode = 1;
}
