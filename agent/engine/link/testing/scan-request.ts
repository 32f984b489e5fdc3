/** A request for a scan as the tests of links vary it: nobody, one port, no limits. */

import { emptyAddressSet } from "#shared/net/address-set.ts";
import type { ScanRequest } from "../../plan.ts";
import { aRequest } from "../../testing/plan.ts";

export const scanRequest: ScanRequest = aRequest({
  addresses: emptyAddressSet,
  tcpPorts: [{ first: 80, last: 80 }],
  portTimeoutMs: 60_000,
});
