/** What `run` does: the agent at work, until it is told to stop. */

import { systemClock } from "#shared/clock.ts";
import { UsageError } from "#shared/errors.ts";
import { formatLogLine, Log } from "#shared/log.ts";
import { PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import { ControlPlaneClient } from "../client/control-plane.ts";
import { readCredentials, writeCredentials } from "../client/credentials.ts";
import type { ConfigFlags } from "../config/config.ts";
import { runDaemon } from "../daemon/daemon.ts";
import { rawSocketProblem } from "../engine/link/choose.ts";
import { notifySystemd } from "../host/systemd.ts";
import { configOf } from "./config-of.ts";
import type { CliContext } from "./context.ts";

export async function runAgent(context: CliContext, flags: ConfigFlags): Promise<void> {
  const config = await configOf(flags, context);
  const credentials = config.apiKey === undefined ? readCredentials(config.stateDir) : undefined;
  const server = config.server ?? credentials?.server;
  const apiKey = config.apiKey ?? credentials?.apiKey;
  if (server === undefined || apiKey === undefined) {
    throw new UsageError(
      "NOT_ENROLLED",
      `this host is not enrolled (no credentials in ${config.stateDir}): run 'portolan-agent enroll' first`,
    );
  }
  const log = new Log(
    (entry) => void context.stderr.write(`${formatLogLine(entry)}\n`),
    config.logLevel,
    systemClock.nowMs,
  );
  const rawProblem = rawSocketProblem();
  const notifySocket = context.environment["NOTIFY_SOCKET"];
  context.interrupted.addEventListener("abort", () => {
    log.info("agent.stopping", "Stopping; results that are not delivered stay on disk");
    notifySystemd(notifySocket, "STOPPING=1");
  });
  await runDaemon(
    {
      client: new ControlPlaneClient({ server, apiKey, ca: config.ca, signal: context.interrupted }),
      clock: systemClock,
      log,
      signal: context.interrupted,
      keepKey: credentials && ((key) => writeCredentials(config.stateDir, { ...credentials, apiKey: key })),
    },
    {
      stateDir: config.stateDir,
      capabilities: rawProblem === undefined ? ["connect", "syn"] : ["connect"],
      workers: context.workers,
      maxRatePps: config.maxRatePps,
      maxConcurrentScans: config.maxConcurrentScans,
      onStart: () => {
        log.info("agent.starting", `Portolan agent ${PORTOLAN_VERSION} starting`, { server });
        if (rawProblem === undefined) return;
        log.warning("agent.unprivileged", `${rawProblem}; scanning by ordinary connections`);
      },
      onReady: () => notifySystemd(notifySocket, "READY=1"),
    },
  );
}
