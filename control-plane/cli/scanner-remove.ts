/** `scanner remove NAME`: its key stops working and its jobs fail; its results stay. */

import type { Command } from "commander";
import { clientCommand, type ClientOptions, connect } from "./client-command.ts";
import type { CliContext } from "./context.ts";
import { scannerPath } from "./find-scanner.ts";

export function scannerRemoveCommand(context: CliContext): Command {
  return clientCommand("remove", "remove a scanner: its key ends, its jobs fail, its results stay")
    .argument("<name>", "name of the scanner")
    .action(async (name: string, options: ClientOptions) => {
      const client = await connect(context, options);
      await client.delete(await scannerPath(client, name));
      context.print(`${name}: removed`);
    });
}
