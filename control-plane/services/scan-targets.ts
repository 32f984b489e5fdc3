/** What an operator asks to scan, resolved to what a job says: addresses and ports, nothing twice, exclusions taken out. */

import { formatPorts, countPorts, parsePorts } from "#shared/net/port-spec.ts";
import { countRanges } from "#shared/net/ranges.ts";
import { formatAddressRange, parseTargets, probedAddresses } from "#shared/net/target-spec.ts";
import type { JobTarget } from "#shared/protocol/job.ts";
import { MAX_TARGET_RANGES } from "#shared/protocol/limits.ts";
import { refusal } from "./refusal.ts";

export interface ResolvedTargets {
  readonly target: JobTarget;
  /** Addresses times ports. */
  readonly probes: number;
}

/** @throws PortolanError INVALID_TARGET or INVALID_PORT, naming the token that is wrong */
export function resolveTargets(
  targets: readonly string[],
  exclude: readonly string[],
  portSpec: string,
): ResolvedTargets {
  const addresses = probedAddresses(parseTargets(targets), parseTargets(exclude));
  if (addresses.length === 0) {
    throw refusal("INVALID_TARGET", "the targets name no address that may be probed");
  }
  if (addresses.length > MAX_TARGET_RANGES) {
    throw refusal(
      "INVALID_TARGET",
      `the targets make ${addresses.length} separate ranges; at most ${MAX_TARGET_RANGES} fit into a scan`,
    );
  }
  const ports = parsePorts(portSpec);
  const [udp] = ports.udp;
  if (udp !== undefined) {
    throw refusal(
      "INVALID_PORT",
      `UDP ports are not scanned by the engines 'syn' and 'connect': U:${udp.first}`,
      {
        token: `U:${udp.first}`,
      },
    );
  }
  return {
    target: { addresses: addresses.map(formatAddressRange), ports: formatPorts(ports) },
    probes: countRanges(addresses) * countPorts(ports),
  };
}
