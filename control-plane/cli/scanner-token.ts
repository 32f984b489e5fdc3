/** `scanner token NAME`: a new one-time line for a scanner, e.g. when its host is replaced or the hour has passed. */

import type { Command } from "commander";
import { scannerCreateResponseSchema } from "#shared/protocol/operator.ts";
import { clientCommand, type ClientOptions, connect } from "./client-command.ts";
import type { CliContext } from "./context.ts";
import { scannerPath } from "./find-scanner.ts";
import { showProvisioning } from "./provisioning-output.ts";

interface TokenOptions extends ClientOptions {
  readonly json?: boolean;
}

export function scannerTokenCommand(context: CliContext): Command {
  return clientCommand("token", "print a new line to run on a scanner's host; its former token and key end")
    .argument("<name>", "name of the scanner")
    .option("--json", "print the whole answer as JSON")
    .action(async (name: string, options: TokenOptions) => {
      const client = await connect(context, options);
      const path = `${await scannerPath(client, name)}/regenerate-token`;
      const renewed = await client.post(path, scannerCreateResponseSchema);
      const done = `The former token and key of scanner '${name}' no longer work.`;
      showProvisioning(context, renewed, { done, json: options.json ?? false });
    });
}
