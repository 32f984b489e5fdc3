/** Which of the targets are there: the addresses of hosts that were found up, as targets of the scan that follows. */

import { parseAddress } from "#shared/net/address.ts";
import { type AddressSet, addressSetOf, type BigRange } from "#shared/net/address-set.ts";
import type { NumberRange } from "#shared/net/ranges.ts";
import type { HostResult } from "#shared/protocol/job.ts";
import type { ScanRequest } from "../engine/plan.ts";

/** The request that pings what another is to scan. */
export function discoveryRequest(request: ScanRequest): ScanRequest {
  // The capture file is the port scan's: a second scan would begin it anew.
  return { ...request, find: "hosts", tcpPorts: [], udpPorts: [], capturePath: undefined };
}

export class HostsUp {
  private readonly v4: NumberRange[] = [];
  private readonly v6: BigRange[] = [];

  add(results: readonly HostResult[]): void {
    for (const { address: text, state } of results) {
      const address = state === "up" ? parseAddress(text) : undefined;
      if (address?.family === 4) this.v4.push({ first: address.value, last: address.value });
      if (address?.family === 6) this.v6.push({ first: address.value, last: address.value });
    }
  }

  addresses(): AddressSet {
    return addressSetOf(this.v4, this.v6);
  }
}
