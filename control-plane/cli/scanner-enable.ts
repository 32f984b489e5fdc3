/** `scanner enable NAME`: undoes `scanner disable`. */

import type { Command } from "commander";
import type { CliContext } from "./context.ts";
import { scannerAction } from "./scanner-action.ts";

export function scannerEnableCommand(context: CliContext): Command {
  return scannerAction(context, "enable", "let a disabled scanner work again");
}
