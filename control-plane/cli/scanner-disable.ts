/** `scanner disable NAME`: no new jobs; those it runs go on. */

import type { Command } from "commander";
import type { CliContext } from "./context.ts";
import { scannerAction } from "./scanner-action.ts";

export function scannerDisableCommand(context: CliContext): Command {
  return scannerAction(context, "disable", "give a scanner no new jobs; those it runs go on");
}
