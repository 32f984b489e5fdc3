/** Turns the flags of `scan` into a request, or into an error that names the wrong flag. */

import { UsageError } from "#shared/errors.ts";
import { parseAddress } from "#shared/net/address.ts";
import { type AddressSet, countAddresses } from "#shared/net/address-set.ts";
import { excerpt } from "#shared/net/excerpt.ts";
import { MAX_PORT, parsePorts, type PortSet } from "#shared/net/port-spec.ts";
import { normalizeRanges, type NumberRange } from "#shared/net/ranges.ts";
import { topPorts } from "#shared/net/top-ports.ts";
import { DEFAULT_PORT_TIMEOUT_MS, DEFAULT_RETRIES, MAX_RETRIES } from "#shared/protocol/limits.ts";
import { PORT_STATES, type PortState } from "#shared/protocol/port-state.ts";
import { LINK_NAMES, type RateLimit, type ScanRequest } from "../engine/plan.ts";
import { macOf, numberOf, oneOf, refuse, shardOf, wholeNumberOf } from "./option-values.ts";
import { DEFAULT_PORTS, DEFAULT_RATE, type ScanFlags, type TunableFlags } from "./scan-flags.ts";

/** A terminal scan may go faster than a job: the network is the user's own business. */
const MAX_RATE_PPS = 10_000_000;
/**
 * On the local link. Ten times what a host there takes that has just answered for its hardware address, and five times
 * what its answer may wait in the receive ring.
 */
const QUIET_MS = 300;
const MAX_SEED = 2 ** 48;
const MAX_SENDERS = 64;

/** What a scan is, apart from how it is done: the same scope gives the same probes in the same order. */
export type ScanScope = Pick<
  ScanRequest,
  "addresses" | "find" | "tcpPorts" | "udpPorts" | "retries" | "seed" | "shard"
>;

/** @throws UsageError naming the flag or token that is wrong */
export function scanScope(addresses: AddressSet, flags: ScanFlags): ScanScope {
  const ports: PortSet = flags.onlyDiscover === true ? { tcp: [], udp: [] } : portsOf(flags);
  return {
    addresses,
    find: flags.onlyDiscover === true ? "hosts" : "ports",
    tcpPorts: ports.tcp,
    udpPorts: ports.udp,
    retries:
      flags.retries === undefined
        ? DEFAULT_RETRIES
        : wholeNumberOf("--retries", flags.retries, 0, MAX_RETRIES),
    seed:
      flags.seed === undefined
        ? Math.floor(Math.random() * MAX_SEED)
        : wholeNumberOf("--seed", flags.seed, 0, MAX_SEED),
    shard: flags.shard === undefined ? { index: 0, count: 1 } : shardOf("--shard", flags.shard),
  };
}

/** @throws UsageError naming the flag that is wrong, or the flags that do not go together */
export function scanRequest(
  scope: ScanScope,
  flags: TunableFlags,
  { resume, capturePath }: Pick<ScanRequest, "resume" | "capturePath">,
): ScanRequest {
  const link = oneOf("--link", flags.link ?? "auto", LINK_NAMES);
  if (link === "connect") refuseWithConnect(scope, flags, capturePath);
  const seconds = (
    flag: string,
    text: string | undefined,
    least: number,
    most: number,
  ): number | undefined => (text === undefined ? undefined : numberOf(flag, text, least, most) * 1_000);
  return {
    ...scope,
    ratePps: rateOf(flags.rate ?? DEFAULT_RATE),
    maxRatePerHostPps: capOf("--max-rate-per-host", flags.maxRatePerHost),
    maxRatePerNetworkPps: capOf("--max-rate-per-network", flags.maxRatePerNetwork),
    portTimeoutMs:
      flags.portTimeout === undefined
        ? DEFAULT_PORT_TIMEOUT_MS
        : wholeNumberOf("--port-timeout", flags.portTimeout, 1, 60_000),
    cooldownMs: seconds("--cooldown", flags.cooldown, 0, 3_600),
    // Who says how long to wait is taken at the word.
    quietMs: flags.cooldown === undefined && flags.portTimeout === undefined ? QUIET_MS : undefined,
    maxRuntimeMs: seconds("--max-runtime", flags.maxRuntime, 0.001, 2_000_000),
    link,
    senders:
      flags.senders === undefined ? undefined : wholeNumberOf("--senders", flags.senders, 1, MAX_SENDERS),
    resume,
    report: statesOf(flags.show ?? "open"),
    interfaceName: flags.interface,
    sourceAddresses: sourceAddressesOf(flags.sourceIp ?? []),
    sourcePort:
      flags.sourcePort === undefined
        ? undefined
        : wholeNumberOf("--source-port", flags.sourcePort, 1, MAX_PORT),
    gatewayMac: flags.gatewayMac === undefined ? undefined : macOf("--gateway-mac", flags.gatewayMac),
    capturePath,
  };
}

function portsOf({ ports, topPorts: tcp, topUdpPorts: udp }: ScanFlags): PortSet {
  const named: PortSet =
    ports === undefined && (tcp !== undefined || udp !== undefined)
      ? { tcp: [], udp: [] }
      : parsePorts(ports ?? DEFAULT_PORTS);
  const top = (flag: string, text: string | undefined, protocol: keyof PortSet): readonly NumberRange[] =>
    text === undefined ? [] : topPorts(wholeNumberOf(flag, text, 1, MAX_PORT), protocol)[protocol];
  return {
    tcp: normalizeRanges([...named.tcp, ...top("--top-ports", tcp, "tcp")]),
    udp: normalizeRanges([...named.udp, ...top("--top-udp-ports", udp, "udp")]),
  };
}

function rateOf(text: string): RateLimit {
  if (text === "auto") return "auto";
  return text === "max" ? 0 : numberOf("--rate", text, 0.1, MAX_RATE_PPS, "or 'max' or 'auto'");
}

function capOf(flag: string, text: string | undefined): number {
  return text === undefined ? 0 : numberOf(flag, text, 0.1, MAX_RATE_PPS);
}

function statesOf(text: string): PortState[] {
  if (text === "all") return [...PORT_STATES];
  return text.split(",").map((name) => {
    const state = PORT_STATES.find((known) => known === name);
    if (state !== undefined) return state;
    return refuse(`--show takes open, closed, filtered or all, not '${excerpt(name)}'`);
  });
}

function sourceAddressesOf(texts: readonly string[]): ScanRequest["sourceAddresses"] {
  let v4: number | undefined;
  let v6: bigint | undefined;
  for (const text of texts) {
    const address = parseAddress(text);
    if (address === undefined) return refuse(`--source-ip must be an address, not '${excerpt(text)}'`);
    if ((address.family === 4 ? v4 : v6) !== undefined) {
      return refuse(`--source-ip takes one address of each family, and '${excerpt(text)}' is the second`);
    }
    if (address.family === 4) v4 = address.value;
    else v6 = address.value;
  }
  return { v4, v6 };
}

/** The kernel makes the packets of its own connections: nothing about them can be chosen. */
function refuseWithConnect(scope: ScanScope, flags: TunableFlags, capturePath: string | undefined): void {
  if (scope.find === "hosts") {
    throw new UsageError(
      "INVALID_OPTION",
      "--link connect cannot ping; leave out --discover and --only-discover, or choose another --link",
    );
  }
  if (scope.udpPorts.length > 0) {
    refuse("--link connect asks TCP ports only; leave the UDP ports out, or choose another --link");
  }
  const [useless] = Object.entries({
    "--interface": flags.interface,
    "--source-ip": flags.sourceIp,
    "--source-port": flags.sourcePort,
    "--gateway-mac": flags.gatewayMac,
    "--senders": flags.senders,
    "--pcap": capturePath,
  }).find(([, value]) => value !== undefined) ?? [undefined];
  if (useless !== undefined) {
    refuse(
      `${useless} has no effect on the kernel's own connections; leave it out, or choose another --link than connect`,
    );
  }
}

/**
 * Refuses flags that contradict each other before anything is read or sent.
 * @throws UsageError saying which to leave out
 */
export function refuseContradictions(flags: ScanFlags): void {
  const isGiven = (name: keyof ScanFlags): boolean => flags[name] !== undefined;
  const both = (a: keyof ScanFlags, b: keyof ScanFlags): boolean => isGiven(a) && isGiven(b);
  if (both("discover", "onlyDiscover")) refuse("--discover and --only-discover exclude each other; keep one");
  for (const name of ["ports", "topPorts", "topUdpPorts"] as const) {
    if (both("onlyDiscover", name))
      refuse("--only-discover asks no port; leave the ports out, or use --discover");
  }
  if (isGiven("onlyDiscover") && flags.show === "closed") {
    refuse("a host is up or down; give --only-discover --show open for the former, filtered for the latter");
  }
  if (both("discover", "resume")) {
    refuse("a scan that is taken up again knows its targets; leave --discover out");
  }
  if (both("discover", "dryRun")) {
    refuse("without sending, nobody knows who is up; leave --discover out of a --dry-run");
  }
  if (both("discover", "shard")) {
    refuse(
      "each part would look for hosts anew, and the parts would not fit together; use --only-discover first",
    );
  }
  if (isGiven("discover") && flags.link === "connect") {
    refuse("--link connect cannot ping; leave out --discover, or choose another --link");
  }
  if (isGiven("shard") && !isGiven("seed") && !isGiven("resume")) {
    refuse(
      "the parts of a scan fit together only with the same --seed; give one, the same for every --shard",
    );
  }
  if (flags.format === "binary" && !isGiven("dryRun")) {
    refuse("--format binary is for --dry-run; choose another format, or add --dry-run");
  }
  if (isGiven("dryRun") && flags.format !== undefined && flags.format !== "binary") {
    refuse(`--dry-run lists lines of text, or --format binary; leave '${excerpt(flags.format)}' out`);
  }
  for (const [name, flag] of [
    ["pcap", "--pcap"],
    ["summary", "--summary"],
  ] as const) {
    if (both("dryRun", name)) refuse(`a --dry-run sends nothing; leave ${flag} out`);
  }
}

/** @throws UsageError NO_TARGETS */
export function requireTargets(addresses: AddressSet | undefined): AddressSet {
  if (addresses !== undefined && countAddresses(addresses) > 0) return addresses;
  throw new UsageError(
    "NO_TARGETS",
    "no targets: name addresses, networks or hosts, or give --targets-file or --resume",
  );
}
