/** `scan show ID`: how a scan is doing, and with `--results` what it found. */

import type { Command } from "commander";
import { scanViewSchema } from "#shared/protocol/operator.ts";
import { clientCommand, type ClientOptions, connect } from "./client-command.ts";
import type { CliContext } from "./context.ts";
import { scanId } from "./options.ts";
import { describeScan, fetchResults, formatResults } from "./scan-output.ts";

interface ShowOptions extends ClientOptions {
  readonly results?: boolean;
  readonly json?: boolean;
}

export function scanShowCommand(context: CliContext): Command {
  return clientCommand("show", "show a scan")
    .argument("<id>", "number of the scan", scanId)
    .option("--results", "print what was found, too")
    .option("--json", "print it as JSON")
    .action(async (id: number, options: ShowOptions) => {
      const client = await connect(context, options);
      const scan = await client.get(`/api/scans/${id}`, scanViewSchema);
      const results = options.results ? await fetchResults(client, id) : undefined;
      if (options.json) {
        context.print(JSON.stringify(results === undefined ? { scan } : { scan, results }, null, 2));
        return;
      }
      for (const line of describeScan(scan)) context.print(line);
      if (results !== undefined) for (const line of formatResults(results, scan)) context.print(line);
    });
}
