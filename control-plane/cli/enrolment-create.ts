/** `enrolment create NAME`: a token for many hosts; prints the one line to run on each. */

import { type Command, Option } from "commander";
import { enrolmentTokenCreateResponseSchema } from "#shared/protocol/enrolment.ts";
import { MAX_ENROLMENT_TTL_SECONDS, MAX_ENROLMENT_USES, MAX_RATE_PPS } from "#shared/protocol/limits.ts";
import { bindingModeSchema } from "#shared/protocol/operator.ts";
import { clientCommand, type ClientOptions, connect } from "./client-command.ts";
import type { CliContext } from "./context.ts";
import { wholeNumber } from "./options.ts";

const SECONDS_PER_HOUR = 3_600;

interface CreateOptions extends ClientOptions {
  readonly hours?: number;
  readonly maxUses?: number;
  readonly rateLimit?: number;
  readonly binding?: string;
  readonly json?: boolean;
}

export function enrolmentCreateCommand(context: CliContext): Command {
  const maxHours = MAX_ENROLMENT_TTL_SECONDS / SECONDS_PER_HOUR;
  return clientCommand("create", "make a token for many hosts and print the line to run on each")
    .argument("<name>", "letters, digits and hyphens")
    .option("--hours <n>", "how long it serves (default 24)", wholeNumber(1, maxHours))
    .option("--max-uses <n>", "for how many hosts (default 100)", wholeNumber(1, MAX_ENROLMENT_USES))
    .option("--rate-limit <n>", "probes per second of each, 0 = unlimited", wholeNumber(0, MAX_RATE_PPS))
    .addOption(new Option("--binding <mode>", "from where they may call").choices(bindingModeSchema.options))
    .option("--json", "print the whole answer as JSON")
    .action(async (name: string, options: CreateOptions) => {
      const client = await connect(context, options);
      const request = {
        name,
        expiresInSeconds: options.hours === undefined ? undefined : options.hours * SECONDS_PER_HOUR,
        maxUses: options.maxUses,
        rateLimit: options.rateLimit,
        bindingMode: options.binding,
      };
      const path = "/api/config/enrolment-tokens";
      const created = await client.post(path, enrolmentTokenCreateResponseSchema, request);
      if (options.json) {
        context.print(JSON.stringify(created, null, 2));
        return;
      }
      const { maxUses, expiresAt } = created.enrolmentToken;
      context.say(`Run this on up to ${maxUses} hosts before ${expiresAt}, then approve the scanners:`);
      context.print(created.installCommand);
    });
}
