/** Where the control plane keeps what it must not lose. */

import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { errorMessage, UsageError } from "#shared/errors.ts";
import type { CliContext } from "./context.ts";

/** /var/lib for root, else as the XDG base directory specification has it. */
export function defaultDataDirectory({ env, isRoot, homeDirectory }: CliContext): string {
  if (isRoot) return "/var/lib/portolan-control";
  return join(env["XDG_STATE_HOME"] || join(homeDirectory, ".local", "state"), "portolan-control");
}

/** The database that the option names, else the environment, else the one in the data directory. */
export function databaseUrl({ env }: CliContext, option: string | undefined, dataDirectory: string): string {
  return option ?? (env["DATABASE_URL"] || `sqlite:${join(dataDirectory, "portolan.sqlite")}`);
}

export function adminTokenFile(dataDirectory: string): string {
  return join(dataDirectory, "admin-token");
}

/** Creates it, for its owner only, where it is missing. @throws UsageError when nothing can be written there */
export async function prepareDataDirectory(dataDirectory: string): Promise<void> {
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    await access(dataDirectory, constants.W_OK | constants.X_OK);
  } catch (error) {
    // `EACCES: permission denied, mkdir '/x'`: the path is in our own message.
    const [reason] = errorMessage(error).split(",", 1);
    throw new UsageError(
      "USAGE",
      `cannot write to ${dataDirectory} (${reason}); run as the user it belongs to, or give --data-dir`,
    );
  }
}
