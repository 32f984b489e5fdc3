/** The life of a server: opens the store, listens, sweeps, and puts everything away again. */

import { chmod, mkdir, writeFile } from "node:fs/promises";
import type { HTMLBundle } from "bun";
import type { Clock } from "#shared/clock.ts";
import { errorMessage, PortolanError } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import { createApp } from "./app.ts";
import type { CliContext } from "./cli/context.ts";
import { adminTokenFile } from "./cli/data-directory.ts";
import type { ServeConfig } from "./cli/serve.ts";
import { loadDashboard } from "./http/dashboard-files.ts";
import { startServer } from "./server.ts";
import { AgentBinaries } from "./services/agent-binaries.ts";
import { createServices, type Services } from "./services/services.ts";
import { migrate } from "./store/migrate.ts";
import { MIGRATIONS } from "./store/migrations/all.ts";
import { openStore, type Store } from "./store/store.ts";

const SWEEP_INTERVAL_MS = 5_000;

export interface ServerDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Platform and architecture of this process, e.g. `linux-amd64`. */
  readonly ownTarget: string;
  readonly context: CliContext;
  readonly dashboard: HTMLBundle;
}

/** Runs until the process is asked to stop. @throws PortolanError when it cannot start */
export async function runServer(config: ServeConfig, deps: ServerDeps): Promise<void> {
  const { clock, log, context } = deps;
  const stopRequested = context.stopRequested();
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const store = openStore(config.databaseUrl, {
    onConnectionLost: (error) => log.warning("database.connection-lost", errorMessage(error)),
  });
  try {
    await prepareDatabase(store, log);
    const services = createServices({ store, clock, log });
    await createFirstToken(services, config, context);

    const binaries = new AgentBinaries({ directory: config.agentBinaries, ownTarget: deps.ownTarget });
    const dashboard = await loadDashboard(deps.dashboard);
    const app = createApp({ services, binaries, clock, log, url: config, dashboard });
    const server = startServer(app, config.listen, config.tls);
    for (const url of server.urls) context.print(`Listening on ${url}`);

    const stop = new AbortController();
    const sweeping = sweepUntil(stop.signal, services, deps);
    await stopRequested;
    log.info("server.stopping", "Stopping");
    services.bell.close();
    await server.stop();
    stop.abort();
    await sweeping;
  } finally {
    await store.close();
  }
}

/** @throws PortolanError, which says why when the database cannot be reached: whoever starts a server is to know */
async function prepareDatabase(store: Store, log: Log): Promise<void> {
  try {
    const applied = await migrate(store, MIGRATIONS);
    if (applied.length > 0) log.info("database.migrated", `Schema is at version ${applied.at(-1)}`);
  } catch (error) {
    if (!(error instanceof PortolanError) || error.code !== "DATABASE_UNAVAILABLE") throw error;
    throw new PortolanError(error.code, `the database cannot be reached: ${errorMessage(error.cause)}`, {
      cause: error.cause,
    });
  }
}

/** The first start of an empty database: its admin token, printed this once, and kept where the commands look. */
async function createFirstToken(
  { operators }: Services,
  config: ServeConfig,
  context: CliContext,
): Promise<void> {
  const file = adminTokenFile(config.dataDirectory);
  const token = await operators.createFirst(async (text) => {
    await writeFile(file, `${text}\n`, { mode: 0o600 });
    // The mode above counts only for a file that was not there before.
    await chmod(file, 0o600);
  });
  if (token !== undefined) context.print(`Admin token, shown this once and kept in ${file}: ${token}`);
}

async function sweepUntil(
  signal: AbortSignal,
  { sweeper }: Services,
  { clock, log }: ServerDeps,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(SWEEP_INTERVAL_MS, signal);
    if (signal.aborted) return;
    try {
      await sweeper.sweep();
    } catch (error) {
      log.error("sweep.failed", `Lost jobs could not be looked for: ${errorMessage(error)}`);
    }
  }
}
