/** `scan cancel ID`: stops a scan; what it found is kept. */

import type { Command } from "commander";
import { scanViewSchema } from "#shared/protocol/operator.ts";
import { clientCommand, type ClientOptions, connect } from "./client-command.ts";
import type { CliContext } from "./context.ts";
import { scanId } from "./options.ts";
import { describeScan } from "./scan-output.ts";

export function scanCancelCommand(context: CliContext): Command {
  return clientCommand("cancel", "stop a scan and keep what was found")
    .argument("<id>", "number of the scan", scanId)
    .action(async (id: number, options: ClientOptions) => {
      const client = await connect(context, options);
      const scan = await client.post(`/api/scans/${id}/cancel`, scanViewSchema);
      for (const line of describeScan(scan)) context.print(line);
    });
}
