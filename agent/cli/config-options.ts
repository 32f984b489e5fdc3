/** The options that several commands share: where the configuration is, and what stands above it. */

import type { Command } from "commander";

export function addConfigOptions(command: Command): Command {
  return command
    .option("--config <file>", "configuration file (default: /etc/portolan/agent.yaml)")
    .option("--server <url>", "address of the control plane")
    .option("--state-dir <dir>", "where credentials and results are kept (default: /var/lib/portolan)")
    .option("--ca-file <file>", "PEM file of an authority to trust beside the system's")
    .option("--allow-plain-http", "allow http to a control plane that is not on this host")
    .option("--max-rate <pps>", "most probes per second of all jobs together (default: no limit)")
    .option("--max-concurrent-scans <n>", "jobs that run at a time, from 1 to 16 (default: 2)")
    .option("--log-level <level>", "DEBUG, INFO, WARNING or ERROR");
}
