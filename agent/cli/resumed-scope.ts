/** Whether a scan that is taken up again is the one that the command line speaks of. */

import { UsageError } from "#shared/errors.ts";
import { type AddressSet, areSameAddresses } from "#shared/net/address-set.ts";
import { formatPorts } from "#shared/net/port-spec.ts";
import type { ScanFlags } from "./scan-flags.ts";
import { type ScanScope, scanScope } from "./scan-options.ts";

/**
 * What was said again must be what the file says. Nothing needs to be said again.
 * @param addresses named on the command line, if any were
 * @throws UsageError RESUME_MISMATCH naming what to leave out
 */
export function requireSameScope(
  scope: ScanScope,
  addresses: AddressSet | undefined,
  flags: ScanFlags,
): void {
  const said = scanScope(addresses ?? scope.addresses, flags);
  const portsAreSaid = [flags.ports, flags.topPorts, flags.topUdpPorts].some((text) => text !== undefined);
  const differs: readonly (readonly [string, boolean])[] = [
    ["the targets", !areSameAddresses(said.addresses, scope.addresses)],
    ["the ports", portsAreSaid && textOfPorts(said) !== textOfPorts(scope)],
    ["--only-discover", flags.onlyDiscover === true && scope.find !== "hosts"],
    ["--retries", flags.retries !== undefined && said.retries !== scope.retries],
    ["--seed", flags.seed !== undefined && said.seed !== scope.seed],
    [
      "--shard",
      flags.shard !== undefined &&
        (said.shard.index !== scope.shard.index || said.shard.count !== scope.shard.count),
    ],
  ];
  const other = differs.find(([, isOther]) => isOther);
  if (other === undefined) return;
  throw new UsageError(
    "RESUME_MISMATCH",
    `${other[0]} differ from those of the scan to resume; leave them out, or start a new scan without --resume`,
  );
}

function textOfPorts({ find, tcpPorts, udpPorts }: ScanScope): string {
  return `${find} ${formatPorts({ tcp: tcpPorts, udp: udpPorts })}`;
}
