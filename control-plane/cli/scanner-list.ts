/** `scanner list`: all scanners and how they are doing. */

import type { Command } from "commander";
import { scannerListSchema } from "#shared/protocol/operator.ts";
import { clientCommand, type ClientOptions, connect } from "./client-command.ts";
import type { CliContext } from "./context.ts";
import { formatTable } from "./table.ts";

interface ListOptions extends ClientOptions {
  readonly json?: boolean;
}

export function scannerListCommand(context: CliContext): Command {
  return clientCommand("list", "list scanners and their status")
    .option("--json", "print the whole answer as JSON")
    .action(async (options: ListOptions) => {
      const client = await connect(context, options);
      const answer = await client.get("/api/scanners", scannerListSchema);
      if (options.json) {
        context.print(JSON.stringify(answer, null, 2));
        return;
      }
      const rows = answer.scanners.map((scanner) => [
        String(scanner.id),
        scanner.name,
        scanner.status,
        scanner.externalIp ?? "-",
        scanner.version ?? "-",
        scanner.lastHeartbeatAt ?? "never",
        scanner.lastAuthError?.code ?? "",
      ]);
      const heading = ["ID", "NAME", "STATUS", "ADDRESS", "VERSION", "LAST HEARTBEAT", "LAST ERROR"];
      for (const line of formatTable([heading, ...rows])) context.print(line.trimEnd());
    });
}
