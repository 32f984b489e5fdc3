/** `scanner approve NAME`: lets a scanner work that enrolled itself. */

import type { Command } from "commander";
import type { CliContext } from "./context.ts";
import { scannerAction } from "./scanner-action.ts";

export function scannerApproveCommand(context: CliContext): Command {
  return scannerAction(context, "approve", "let a scanner work that enrolled itself");
}
