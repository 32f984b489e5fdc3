/** The life of a server: opens the store, listens, does its chores, and puts everything away again. */

import type { HTMLBundle } from "bun";
import type { Clock } from "#shared/clock.ts";
import { errorMessage, PortolanError } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import { createApp } from "./app.ts";
import { createAdminToken } from "./cli/admin-token.ts";
import type { CliContext } from "./cli/context.ts";
import { adminTokenFile, prepareDataDirectory } from "./cli/data-directory.ts";
import type { ServeConfig } from "./cli/serve.ts";
import { loadDashboard } from "./http/dashboard-files.ts";
import { startServer } from "./server.ts";
import { AgentBinaries } from "./services/agent-binaries.ts";
import { AsnDatabase } from "./services/asn-database.ts";
import { choresOf, doChores } from "./services/chores.ts";
import { createServices, type Services } from "./services/services.ts";
import { migrate } from "./store/migrate.ts";
import { MIGRATIONS } from "./store/migrations/all.ts";
import { openStore, type Store } from "./store/store.ts";

export interface ServerDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Platform and architecture of this process, e.g. `linux-amd64`. */
  readonly ownTarget: string;
  readonly context: CliContext;
  readonly dashboard: HTMLBundle;
}

/**
 * Runs until the process is asked to stop. What can be refused is refused before anything is changed: the database's
 * schema only once the addresses are had, the first token last of all.
 * @throws PortolanError when it cannot start
 */
export async function runServer(config: ServeConfig, deps: ServerDeps): Promise<void> {
  const { clock, log, context } = deps;
  const stop = new AbortController();
  void context.stopRequested().then(() => stop.abort());
  const asnDatabase = await openAsnDatabase(config, deps);
  const store = openStore(config.databaseUrl, {
    onConnectionLost: (error) => log.warning("database.connection-lost", errorMessage(error)),
  });
  try {
    await prepareDataDirectory(config.dataDirectory);
    const services = createServices({ store, clock, log, asnDatabase, settingDefaults: config });
    const binaries = new AgentBinaries({ directory: config.agentBinaries, ownTarget: deps.ownTarget });
    const dashboard = await loadDashboard(deps.dashboard);
    const app = createApp({ services, binaries, clock, log, url: config, dashboard });
    const server = startServer(app, config.listen, config.tls);
    try {
      await prepareDatabase(store, log);
      await createFirstToken(services, config, context);
      server.open();
      for (const url of server.urls) context.print(`Listening on ${url}`);
      await doChores(choresOf(services), stop.signal, deps);
      log.info("server.stopping", "Stopping");
    } finally {
      services.bell.close();
      services.logStreams.close();
      await server.stop();
    }
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

/** @throws UsageError when the file cannot be used */
async function openAsnDatabase(
  { asnDatabase: path }: ServeConfig,
  { context, log }: ServerDeps,
): Promise<AsnDatabase | undefined> {
  if (path === undefined) return undefined;
  const database = await AsnDatabase.open(path, log);
  context.onReload(() => void database.refresh("always"));
  return database;
}

/** The first start of an empty database: its admin token, printed this once, and kept where the commands look. */
async function createFirstToken(
  { operators }: Services,
  config: ServeConfig,
  context: CliContext,
): Promise<void> {
  const file = adminTokenFile(config.dataDirectory);
  const token = await createAdminToken(operators, file);
  if (token !== undefined) context.print(`Admin token, shown this once and kept in ${file}: ${token}`);
}
