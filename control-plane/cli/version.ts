/** `version`: the version of this program. */

import { Command } from "commander";
import { PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import type { CliContext } from "./context.ts";

export function versionCommand(context: CliContext): Command {
  return new Command("version")
    .description("print the version")
    .action(() => context.print(PORTOLAN_VERSION));
}
