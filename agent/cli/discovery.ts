/** Which of the targets are there: the addresses of hosts that were found up, as targets of the scan that follows. */

import { parseAddress } from "#shared/net/address.ts";
import { AddressCollector, type AddressSet } from "#shared/net/address-set.ts";
import type { HostResult } from "#shared/protocol/job.ts";
import type { ScanRequest } from "../engine/plan.ts";

/** The request that pings what another is to scan. */
export function discoveryRequest(request: ScanRequest): ScanRequest {
  // The capture file is the port scan's: a second scan would begin it anew.
  return { ...request, find: "hosts", tcpPorts: [], udpPorts: [], capturePath: undefined };
}

export class HostsUp {
  private readonly collector = new AddressCollector();

  add(results: readonly HostResult[]): void {
    for (const { address: text, state } of results) {
      const address = state === "up" ? parseAddress(text) : undefined;
      if (address !== undefined) this.collector.add(address);
    }
  }

  /** Those that were added. Asked once, when all are. */
  addresses(): AddressSet {
    return this.collector.take();
  }
}
