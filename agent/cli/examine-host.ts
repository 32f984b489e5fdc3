/** What `doctor` does: looks at everything that a scan and the daemon need, and draws the findings. */

import { ControlPlaneClient } from "../client/control-plane.ts";
import { readCredentials } from "../client/credentials.ts";
import type { ConfigFlags } from "../config/config.ts";
import { configOf } from "./config-of.ts";
import type { CliContext } from "./context.ts";
import { type Check, checkControlPlane, checkEnrolment, checkStateDirectory } from "./doctor-checks.ts";
import { checkDefaultRoutes, checkLinks, checkRawSockets, checkReceiveRing } from "./link-checks.ts";

const SYMBOLS: Readonly<Record<Check["status"], string>> = { ok: "ok  ", warning: "warn", problem: "FAIL" };

export async function examineHost(context: CliContext, flags: ConfigFlags): Promise<Check[]> {
  const config = await configOf(flags, context);
  const credentials = config.apiKey === undefined ? readCredentials(config.stateDir) : undefined;
  const apiKey = config.apiKey ?? credentials?.apiKey;
  const server = config.server ?? credentials?.server;
  const checks = [
    checkRawSockets("portolan-agent"),
    checkReceiveRing(),
    ...checkDefaultRoutes(),
    ...checkLinks(),
    checkEnrolment(config.stateDir, apiKey !== undefined),
  ];
  const state = checkStateDirectory(config.stateDir, apiKey !== undefined);
  if (state !== undefined) checks.push(state);
  if (server !== undefined && apiKey !== undefined) {
    const client = new ControlPlaneClient({ server, apiKey, ca: config.ca, signal: context.interrupted });
    checks.push(...(await checkControlPlane(client, server)));
  }
  return checks;
}

export function renderChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, status, finding, remedy }) => {
      const line = `${SYMBOLS[status]}  ${name.padEnd(width)}  ${finding}\n`;
      return remedy === undefined ? line : `${line}      ${" ".repeat(width)}  → ${remedy}\n`;
    })
    .join("");
}
