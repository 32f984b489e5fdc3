/** `doctor`: what this host can do, and the exact command that mends what it cannot. */

import { Command } from "commander";
import { ControlPlaneClient } from "../client/control-plane.ts";
import { readCredentials } from "../client/credentials.ts";
import type { ConfigFlags } from "../config/config.ts";
import { addConfigOptions, configOf } from "./config-options.ts";
import type { CliContext } from "./context.ts";
import {
  type Check,
  checkControlPlane,
  checkEnrolment,
  checkIpv6,
  checkRawSockets,
  checkReceiveRing,
  checkRoute,
  checkStateDirectory,
} from "./doctor-checks.ts";
import { EXIT_FAILED } from "./exit-codes.ts";

interface Options extends ConfigFlags {
  readonly json?: boolean;
}

const SYMBOLS: Readonly<Record<Check["status"], string>> = { ok: "ok  ", warning: "warn", problem: "FAIL" };

export function doctorCommand(context: CliContext, finish: (exitCode: number) => void): Command {
  const command = new Command("doctor")
    .description("say what this host can do, and how to mend what it cannot")
    .option("--json", "print the findings as JSON");
  return addConfigOptions(command).action(async (options: Options) => {
    const checks = await examine(context, options);
    const text = options.json === true ? `${JSON.stringify({ checks }, undefined, 2)}\n` : render(checks);
    await context.stdout.write(text);
    if (checks.some(({ status }) => status === "problem")) finish(EXIT_FAILED);
  });
}

async function examine(context: CliContext, flags: ConfigFlags): Promise<Check[]> {
  const config = await configOf(flags, context);
  const credentials = config.apiKey === undefined ? readCredentials(config.stateDir) : undefined;
  const apiKey = config.apiKey ?? credentials?.apiKey;
  const server = config.server ?? credentials?.server;
  const checks = [
    checkRawSockets("portolan-agent"),
    checkReceiveRing(),
    checkRoute(),
    checkIpv6(),
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

function render(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, status, finding, remedy }) => {
      const line = `${SYMBOLS[status]}  ${name.padEnd(width)}  ${finding}\n`;
      return remedy === undefined ? line : `${line}      ${" ".repeat(width)}  → ${remedy}\n`;
    })
    .join("");
}
