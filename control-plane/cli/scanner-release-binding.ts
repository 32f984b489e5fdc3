/** `scanner release-binding NAME`: for a scanner that has moved to another address. */

import type { Command } from "commander";
import type { CliContext } from "./context.ts";
import { scannerAction } from "./scanner-action.ts";

export function scannerReleaseBindingCommand(context: CliContext): Command {
  return scannerAction(context, "release-binding", "bind a scanner anew, to where it calls from next");
}
