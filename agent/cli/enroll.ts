/** `enroll`: trades a one-time token for this host's own key. */

import { Command } from "commander";
import { addConfigOptions } from "./config-options.ts";
import type { CliContext } from "./context.ts";
import type { EnrollFlags } from "./enroll-host.ts";

export function enrollCommand(context: CliContext): Command {
  const command = new Command("enroll")
    .description("register this host as a scanner; the one-time token comes from PORTOLAN_TOKEN")
    .option("--token-stdin", "read the token from standard input");
  return addConfigOptions(command).action(async (options: EnrollFlags) => {
    const { enrollHost } = await import("./enroll-host.ts");
    await enrollHost(context, options);
  });
}
