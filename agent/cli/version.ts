/** `version`: what this binary is. */

import { Command } from "commander";
import { PORTOLAN_VERSION, WIRE_VERSION } from "#shared/protocol/version.ts";
import type { CliContext } from "./context.ts";

export function versionCommand(context: CliContext): Command {
  return new Command("version").description("print the version").action(async () => {
    const runtime = `bun ${Bun.version}, ${process.platform}/${process.arch}`;
    await context.stdout.write(`portolan-agent ${PORTOLAN_VERSION} (wire ${WIRE_VERSION}, ${runtime})\n`);
  });
}
