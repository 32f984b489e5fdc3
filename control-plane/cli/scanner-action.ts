/** Commands that do one thing to one scanner and print how it is then. */

import type { Command } from "commander";
import { scannerViewSchema } from "#shared/protocol/operator.ts";
import { clientCommand, type ClientOptions, connect } from "./client-command.ts";
import type { CliContext } from "./context.ts";
import { scannerPath } from "./find-scanner.ts";

interface ActionOptions extends ClientOptions {
  readonly json?: boolean;
}

/** @param action name of the command, and of the API's call */
export function scannerAction(context: CliContext, action: string, description: string): Command {
  return clientCommand(action, description)
    .argument("<name>", "name of the scanner")
    .option("--json", "print the scanner as JSON")
    .action(async (name: string, options: ActionOptions) => {
      const client = await connect(context, options);
      const scanner = await client.post(`${await scannerPath(client, name)}/${action}`, scannerViewSchema);
      if (options.json) {
        context.print(JSON.stringify(scanner, null, 2));
        return;
      }
      const { mode, value } = scanner.binding;
      const binding = mode === "none" ? "not bound" : `bound by ${mode} to ${value ?? "its next address"}`;
      context.print(`${scanner.name}: ${scanner.status}, ${binding}`);
    });
}
