/** The configuration that a command runs with, the files that it names read. */

import { errorMessage, UsageError } from "#shared/errors.ts";
import { type AgentConfig, type ConfigFlags, loadConfig } from "../config/config.ts";
import type { CliContext } from "./context.ts";

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
