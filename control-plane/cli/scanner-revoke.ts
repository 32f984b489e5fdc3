/** `scanner revoke NAME`: undoes `scanner approve`. */

import type { Command } from "commander";
import type { CliContext } from "./context.ts";
import { scannerAction } from "./scanner-action.ts";

export function scannerRevokeCommand(context: CliContext): Command {
  return scannerAction(context, "revoke", "undo approve: its heartbeats are taken, and nothing else of it");
}
