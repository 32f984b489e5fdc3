/** `enrolment revoke NAME`: no host can use the token any more; the scanners that did stay. */

import type { Command } from "commander";
import { UsageError } from "#shared/errors.ts";
import { enrolmentTokenListSchema } from "#shared/protocol/enrolment.ts";
import { clientCommand, type ClientOptions, connect } from "./client-command.ts";
import type { CliContext } from "./context.ts";

const PATH = "/api/config/enrolment-tokens";

export function enrolmentRevokeCommand(context: CliContext): Command {
  return clientCommand("revoke", "revoke an enrolment token; the scanners that used it stay")
    .argument("<name>", "name of the token")
    .action(async (name: string, options: ClientOptions) => {
      const client = await connect(context, options);
      const { enrolmentTokens } = await client.get(PATH, enrolmentTokenListSchema);
      const token = enrolmentTokens.find((candidate) => candidate.name === name);
      if (token === undefined)
        throw new UsageError("NOT_FOUND", `there is no enrolment token named '${name}'`);
      await client.delete(`${PATH}/${token.id}`);
      context.print(`${name}: revoked`);
    });
}
