/** The flags of `scan`: their names, units and defaults as `--help` shows them. What they mean is in `scan-options.ts`. */

import { type Command, Option } from "commander";
import { DEFAULT_PORT_TIMEOUT_MS, DEFAULT_RETRIES } from "#shared/protocol/limits.ts";
import { FORMAT_NAMES } from "../output/formats.ts";
import { refuse } from "./option-values.ts";

/** As commander hands them over: every value is text, and what was not given is not there. */
export interface ScanFlags extends TunableFlags {
  readonly targetsFile?: readonly string[];
  readonly exclude?: readonly string[];
  readonly excludeFile?: readonly string[];
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
  readonly ports?: string;
  readonly topPorts?: string;
  readonly topUdpPorts?: string;
  readonly discover?: boolean;
  readonly onlyDiscover?: boolean;
  readonly retries?: string;
  readonly seed?: string;
  readonly shard?: string;
  readonly resume?: string;
  readonly dryRun?: boolean;
  readonly format?: string;
  readonly output?: string;
  readonly pcap?: string;
  readonly summary?: string;
  readonly quiet?: boolean;
}

/** What may differ when a scan is taken up again. */
export interface TunableFlags {
  readonly show?: string | undefined;
  readonly rate?: string | undefined;
  readonly maxRatePerHost?: string | undefined;
  readonly maxRatePerNetwork?: string | undefined;
  readonly portTimeout?: string | undefined;
  readonly cooldown?: string | undefined;
  readonly maxRuntime?: string | undefined;
  readonly link?: string | undefined;
  readonly senders?: string | undefined;
  readonly interface?: string | undefined;
  readonly sourceIp?: readonly string[] | undefined;
  readonly sourcePort?: string | undefined;
  readonly gatewayMac?: string | undefined;
}

export const DEFAULT_PORTS = "1-1000";
export const DEFAULT_RATE = "1000";

function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser(
    (value: string, all: readonly string[] | undefined): string[] => [...(all ?? []), value],
  );
}

/** The second `-p` would silently take the place of the first. */
function portsOnce(value: string, before: string | undefined): string {
  return before === undefined ? value : refuse("--ports stands twice; join its words with commas");
}

/** Defaults stand in the text only, so that what was given can be told from what was not. */
export function addScanFlags(command: Command): Command {
  return command
    .argument(
      "[targets...]",
      "10.0.0.1  10.0.0.0/24  10.0.0.1-9  10.0-3.1.1-254  2001:db8::/120  web.example; '-' reads them from standard input",
    )
    .optionsGroup("Targets:")
    .addOption(
      repeatable("--targets-file <file>", "read targets from a file, '#' begins a comment; may be repeated"),
    )
    .addOption(repeatable("--exclude <targets>", "leave these out; may be repeated"))
    .addOption(repeatable("--exclude-file <file>", "leave out what the file names; may be repeated"))
    .option("-4, --ipv4", "take only the IPv4 addresses of host names (default: both)")
    .option("-6, --ipv6", "take only the IPv6 addresses of host names (default: both)")
    .optionsGroup("What to ask:")
    .option(
      "-p, --ports <spec>",
      `ports: 22,80-443,https,U:53,161/udp,!25; '-' is all TCP (default: ${DEFAULT_PORTS})`,
      portsOnce,
    )
    .option("--top-ports <n>", "the n TCP ports most often open; with -p, both")
    .option("--top-udp-ports <n>", "the n UDP ports most often open; with -p, both")
    .option("--discover", "ping first, and scan who answers")
    .option("--only-discover", "ping, and ask no port")
    .option("--show <states>", "report ports that are open, closed, filtered, or all (default: open)")
    .optionsGroup("Speed and patience:")
    .option(
      "-r, --rate <pps>",
      `probes per second, 'max', or 'auto' for the most that loses nothing (default: ${DEFAULT_RATE})`,
    )
    .option("--max-rate-per-host <pps>", "probes per second to any one address (default: no limit)")
    .option(
      "--max-rate-per-network <pps>",
      "probes per second to any one /24, or /64 of IPv6 (default: no limit)",
    )
    .option("--retries <n>", `further probes to what did not answer (default: ${DEFAULT_RETRIES})`)
    .option(
      "--port-timeout <ms>",
      `how long an answer may take, in milliseconds (default: ${DEFAULT_PORT_TIMEOUT_MS})`,
    )
    .option(
      "--cooldown <s>",
      "wait after the last probe, in seconds (default: the port timeout; on the local link, until nothing has come for 0.3 s)",
    )
    .option("--max-runtime <s>", "stop after this many seconds (default: no limit)")
    .optionsGroup("How to send:")
    .option("--link <name>", "auto, xdp, packet, raw or connect (default: auto, the fastest that works)")
    .option("--senders <n>", "sender threads (default: what interface and processors allow)")
    .option("--interface <name>", "send through this interface (default: what the routing table says)")
    .addOption(
      repeatable(
        "--source-ip <address>",
        "send from this address; once for IPv4, once for IPv6 (default: the kernel's choice)",
      ),
    )
    .option("--source-port <port>", "the first of our ports (default: free ones outside the kernel's range)")
    .option("--gateway-mac <mac>", "hardware address of every gateway (default: ask)")
    .optionsGroup("Order, parts and going on:")
    .option("--seed <n>", "order of the probes (default: random)")
    .option("--shard <k/n>", "part k of n of the scan, with the same --seed for all (default: 1/1)")
    .option(
      "--resume <file>",
      "go on where an interrupted scan stopped; targets, ports and order come from the file",
    )
    .option("--dry-run", "list what would be probed, in order, and send nothing")
    .optionsGroup("Output:")
    .option(
      "--format <name>",
      `${FORMAT_NAMES.join(", ")}; binary with --dry-run (default: by the ending of --output, else table on a terminal and ndjson otherwise)`,
    )
    .option("-o, --output <file>", "write results there (default: standard output)")
    .option("--pcap <file>", "write probes and answers as a capture file")
    .option("--summary <file>", "write parameters and counters of the run as JSON")
    .option("-q, --quiet", "nothing on stderr but errors");
}
