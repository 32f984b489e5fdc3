/** Where the control plane keeps what it must not lose. */

import { join } from "node:path";
import type { CliContext } from "./context.ts";

/** /var/lib for root, else as the XDG base directory specification has it. */
export function defaultDataDirectory({ env, isRoot, homeDirectory }: CliContext): string {
  if (isRoot) return "/var/lib/portolan-control";
  return join(env["XDG_STATE_HOME"] || join(homeDirectory, ".local", "state"), "portolan-control");
}

export function adminTokenFile(dataDirectory: string): string {
  return join(dataDirectory, "admin-token");
}
