/** `run`: the agent as a service, in the foreground. */

import { Command } from "commander";
import type { ConfigFlags } from "../config/config.ts";
import { addConfigOptions } from "./config-options.ts";
import type { CliContext } from "./context.ts";

export function runCommand(context: CliContext): Command {
  const command = new Command("run").description(
    "run as an agent: heartbeat, fetch jobs, scan, deliver results",
  );
  return addConfigOptions(command).action(async (options: ConfigFlags) => {
    // Loaded when asked for: a scan from the terminal need not wait for what the daemon rests on.
    const { runAgent } = await import("./run-agent.ts");
    await runAgent(context, options);
  });
}
