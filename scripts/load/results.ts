/**
 * How fast results are taken in, and how fast a large scan is looked at, through a real server and real calls.
 *
 *   --database=sqlite|postgres|both    default both; PostgreSQL is one of its own, without fsync
 *   --rows=N                           results to deliver (default 1000000)
 *   --agents=N --batch=N               that deliver at the same time, and results in a batch (default 8, 500)
 *   --order=mixed|sorted               in which order each agent finds them (default mixed, as real ones do)
 *   --stored=N                         results of the scan that is looked at (default 0: no such scan)
 *   --program=FILE                     a compiled portolan-control (default: from source)
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MAX_RESULTS_PER_BATCH } from "#shared/protocol/limits.ts";
import { migrate } from "../../control-plane/store/migrate.ts";
import { MIGRATIONS } from "../../control-plane/store/migrations/all.ts";
import { openStore } from "../../control-plane/store/store.ts";
import { PostgresServer } from "../../control-plane/store/testing/postgres.ts";
import { provisionFleet } from "./fleet.ts";
import { Replica } from "./replica.ts";
import { createScan, deliver, type Order } from "./result-load.ts";
import { lookAt } from "./result-looks.ts";

interface Options {
  readonly rows: number;
  readonly agents: number;
  readonly batch: number;
  readonly order: Order;
  readonly stored: number;
  readonly program: string | undefined;
}

async function measure(databaseUrl: string, folder: string, options: Options): Promise<void> {
  const store = openStore(databaseUrl);
  let replica: Replica | undefined;
  try {
    await migrate(store, MIGRATIONS);
    const fleet = await provisionFleet(store, options.agents);
    const rowsPerJob = Math.ceil(options.rows / options.agents);
    await createScan(store, fleet, rowsPerJob);
    replica = await Replica.start({ name: "server", databaseUrl, folder, program: options.program });
    const { rows, seconds } = await deliver(replica.url, fleet, rowsPerJob, options.batch, options.order);
    const { cpuSeconds, residentBytes } = replica.usage();
    say(
      `  took in ${rows} results in ${seconds.toFixed(1)} s: ${Math.round(rows / seconds)} a second; ` +
        `server ${cpuSeconds.toFixed(1)} s of processor, ${Math.round(residentBytes / 2 ** 20)} MiB`,
    );
    const [scanner] = fleet;
    if (options.stored === 0 || scanner === undefined) return;
    for (const line of await lookAt(store, replica.url, scanner, options.stored)) say(`  ${line}`);
  } finally {
    await replica?.stop();
    await store.close();
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`--${name}: '${text}' is no whole number from ${min} to ${max}`);
}

const { values } = parseArgs({
  options: {
    database: { type: "string", default: "both" },
    rows: { type: "string", default: "1000000" },
    agents: { type: "string", default: "8" },
    batch: { type: "string", default: String(MAX_RESULTS_PER_BATCH) },
    order: { type: "string", default: "mixed" },
    stored: { type: "string", default: "0" },
    program: { type: "string" },
  },
});
const options: Options = {
  rows: wholeNumber("rows", values.rows, 1, 100_000_000),
  agents: wholeNumber("agents", values.agents, 1, 200),
  batch: wholeNumber("batch", values.batch, 1, MAX_RESULTS_PER_BATCH),
  order: values.order === "sorted" ? "sorted" : "mixed",
  stored: wholeNumber("stored", values.stored, 0, 100_000_000),
  program: values.program,
};
const folder = mkdtempSync(join(tmpdir(), "portolan-results-"));
try {
  if (values.database !== "postgres") {
    say(`SQLite, ${options.agents} agents, batches of ${options.batch}, ${options.order}`);
    await measure(`sqlite:${join(folder, "results.db")}`, join(folder, "sqlite"), options);
  }
  if (values.database !== "sqlite") {
    const postgres = await PostgresServer.start();
    say(`PostgreSQL, ${options.agents} agents, batches of ${options.batch}, ${options.order}`);
    try {
      await measure(await postgres.createDatabase(), join(folder, "postgres"), options);
    } finally {
      await postgres.stop();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
