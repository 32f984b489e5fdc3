/** The options that several commands share: where the configuration is, and what stands above it. */

import type { Command } from "commander";
import { type AgentConfig, type ConfigFlags, loadConfig } from "../config/config.ts";
import { errorMessage, UsageError } from "#shared/errors.ts";
import type { CliContext } from "./context.ts";

export function addConfigOptions(command: Command): Command {
  return command
    .option("--config <file>", "configuration file (default: /etc/portolan/agent.yaml)")
    .option("--server <url>", "address of the control plane")
    .option("--state-dir <dir>", "where credentials and results are kept (default: /var/lib/portolan)")
    .option("--ca-file <file>", "PEM file of an authority to trust beside the system's")
    .option("--allow-plain-http", "allow http to a control plane that is not on this host")
    .option("--log-level <level>", "DEBUG, INFO, WARNING or ERROR");
}

/** @throws UsageError */
export async function configOf(
  flags: ConfigFlags,
  context: CliContext,
): Promise<AgentConfig & { readonly ca: string | undefined }> {
  const config = loadConfig(flags, context.environment);
  if (config.caFile === undefined) return { ...config, ca: undefined };
  try {
    return { ...config, ca: await Bun.file(config.caFile).text() };
  } catch (cause) {
    throw new UsageError(
      "INVALID_CONFIG",
      `cannot read the CA file ${config.caFile}: ${errorMessage(cause)}`,
    );
  }
}
