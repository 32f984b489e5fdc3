/** `token create NAME --role R`: an operator's token, shown this once. */

import { type Command, Option } from "commander";
import { operatorRoleSchema, operatorTokenCreateResponseSchema } from "#shared/protocol/administration.ts";
import { clientCommand, type ClientOptions, connect } from "./client-command.ts";
import type { CliContext } from "./context.ts";

interface CreateOptions extends ClientOptions {
  readonly role: string;
}

export function tokenCreateCommand(context: CliContext): Command {
  return clientCommand("create", "create an operator's token")
    .argument("<name>", "whose it is")
    .addOption(
      new Option("--role <role>", "what it allows").choices(operatorRoleSchema.options).makeOptionMandatory(),
    )
    .action(async (name: string, options: CreateOptions) => {
      const client = await connect(context, options);
      const created = await client.post("/api/tokens", operatorTokenCreateResponseSchema, {
        name,
        role: options.role,
      });
      context.say(`Token of '${created.info.name}' (${created.info.role}), shown this once:`);
      context.print(created.token);
    });
}
