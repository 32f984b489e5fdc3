/** `enrolment list`: tokens by which hosts make themselves scanners, and how much they were used. */

import type { Command } from "commander";
import { enrolmentTokenListSchema } from "#shared/protocol/enrolment.ts";
import { clientCommand, type ClientOptions, connect } from "./client-command.ts";
import type { CliContext } from "./context.ts";
import { formatTable } from "./table.ts";

interface ListOptions extends ClientOptions {
  readonly json?: boolean;
}

export function enrolmentListCommand(context: CliContext): Command {
  return clientCommand("list", "list enrolment tokens that were not revoked")
    .option("--json", "print the whole answer as JSON")
    .action(async (options: ListOptions) => {
      const client = await connect(context, options);
      const answer = await client.get("/api/config/enrolment-tokens", enrolmentTokenListSchema);
      if (options.json) {
        context.print(JSON.stringify(answer, null, 2));
        return;
      }
      const rows = answer.enrolmentTokens.map((token) => [
        String(token.id),
        token.name,
        token.status,
        `${token.uses}/${token.maxUses}`,
        token.expiresAt,
        token.createdBy,
      ]);
      const heading = ["ID", "NAME", "STATUS", "USES", "EXPIRES", "CREATED BY"];
      for (const line of formatTable([heading, ...rows])) context.print(line.trimEnd());
    });
}
