/** `doctor`: what this host can do, and the exact command that mends what it cannot. */

import { Command } from "commander";
import type { ConfigFlags } from "../config/config.ts";
import { addConfigOptions } from "./config-options.ts";
import type { CliContext } from "./context.ts";
import { EXIT_FAILED } from "./exit-codes.ts";

interface Options extends ConfigFlags {
  readonly json?: boolean;
}

export function doctorCommand(context: CliContext, finish: (exitCode: number) => void): Command {
  const command = new Command("doctor")
    .description("say what this host can do, and how to mend what it cannot")
    .option("--json", "print the findings as JSON");
  return addConfigOptions(command).action(async (options: Options) => {
    const { examineHost, renderChecks } = await import("./examine-host.ts");
    const checks = await examineHost(context, options);
    const text =
      options.json === true ? `${JSON.stringify({ checks }, undefined, 2)}\n` : renderChecks(checks);
    await context.stdout.write(text);
    if (checks.some(({ status }) => status === "problem")) finish(EXIT_FAILED);
  });
}
