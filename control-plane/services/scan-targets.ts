/** What an operator asks to scan, resolved to what a job says: addresses and ports, nothing twice, exclusions taken out. */

import { formatPorts, countPorts, parsePorts } from "#shared/net/port-spec.ts";
import { countAddresses } from "#shared/net/address-set.ts";
import { formatAddressSet, parseExclusions, parseTargets, probedAddresses } from "#shared/net/target-spec.ts";
import type { JobTarget } from "#shared/protocol/job.ts";
import { MAX_PROBES_PER_JOB, MAX_TARGET_RANGES } from "#shared/protocol/limits.ts";
import { refusal } from "./refusal.ts";

export interface ResolvedTargets {
  readonly target: JobTarget;
  /** Addresses times ports. */
  readonly probes: number;
}

/** @throws PortolanError INVALID_TARGET, SCOPE_TOO_LARGE or INVALID_PORT, naming the token that is wrong */
export function resolveTargets(
  targets: readonly string[],
  exclude: readonly string[],
  portSpec: string,
): ResolvedTargets {
  const addresses = probedAddresses(parseTargets(targets), parseExclusions(exclude));
  const ranges = addresses.v4.length + addresses.v6.length;
  if (ranges === 0) {
    throw refusal("INVALID_TARGET", "the targets name no address that may be probed");
  }
  if (ranges > MAX_TARGET_RANGES) {
    throw refusal(
      "INVALID_TARGET",
      `the targets make ${ranges} separate ranges; at most ${MAX_TARGET_RANGES} fit into a scan`,
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
  const probes = countAddresses(addresses) * countPorts(ports);
  if (probes > MAX_PROBES_PER_JOB) {
    throw refusal("SCOPE_TOO_LARGE", "this is more than 2^48 probes; name fewer addresses or ports");
  }
  return {
    target: { addresses: formatAddressSet(addresses), ports: formatPorts(ports) },
    probes,
  };
}
