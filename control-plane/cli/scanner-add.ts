/** `scanner add NAME`: adds a scanner and prints the one line to run on its host. */

import { type Command, Option } from "commander";
import { MAX_RATE_PPS } from "#shared/protocol/limits.ts";
import { bindingModeSchema, scannerCreateResponseSchema } from "#shared/protocol/operator.ts";
import { clientCommand, type ClientOptions, connect } from "./client-command.ts";
import type { CliContext } from "./context.ts";
import { wholeNumber } from "./options.ts";
import { showProvisioning } from "./provisioning-output.ts";

interface AddOptions extends ClientOptions {
  readonly description?: string;
  readonly rateLimit?: number;
  readonly binding?: string;
  readonly bindingValue?: string;
  readonly json?: boolean;
}

export function scannerAddCommand(context: CliContext): Command {
  return clientCommand("add", "add a scanner and print the line to run on its host")
    .argument("<name>", "letters, digits and hyphens")
    .option("--description <text>")
    .option("--rate-limit <n>", "probes per second, 0 = unlimited", wholeNumber(0, MAX_RATE_PPS))
    .addOption(new Option("--binding <mode>", "from where it may call").choices(bindingModeSchema.options))
    .option("--binding-value <address>", "address or network; unset: where it first calls from")
    .option("--json", "print the whole answer as JSON")
    .action(async (name: string, options: AddOptions) => {
      const client = await connect(context, options);
      const request = {
        name,
        description: options.description,
        rateLimit: options.rateLimit,
        bindingMode: options.binding,
        bindingValue: options.bindingValue,
      };
      const names = { description: "--description", bindingValue: "--binding-value" };
      const created = await client.post("/api/config/scanners", scannerCreateResponseSchema, request, names);
      const done = `Scanner '${created.scanner.name}' was added.`;
      showProvisioning(context, created, { done, json: options.json ?? false });
    });
}
