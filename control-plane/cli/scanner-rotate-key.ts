/** `scanner rotate-key NAME`: has the agent fetch a new key by itself. */

import type { Command } from "commander";
import type { CliContext } from "./context.ts";
import { scannerAction } from "./scanner-action.ts";

export function scannerRotateKeyCommand(context: CliContext): Command {
  return scannerAction(
    context,
    "rotate-key",
    "have the agent fetch a new key; the present one works until then",
  );
}
