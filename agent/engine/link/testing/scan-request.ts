/** A request for a scan as tests vary it: nobody, one port, no limits. */

import type { ScanRequest } from "../../plan.ts";

export const scanRequest: ScanRequest = {
  addresses: { v4: [], v6: [] },
  find: "ports",
  tcpPorts: [{ first: 80, last: 80 }],
  udpPorts: [],
  ratePps: 0,
  maxRatePerHostPps: 0,
  maxRatePerNetworkPps: 0,
  retries: 0,
  portTimeoutMs: 60_000,
  cooldownMs: undefined,
  maxRuntimeMs: undefined,
  link: "auto",
  seed: 1,
  shard: { index: 0, count: 1 },
  senders: undefined,
  resume: undefined,
  report: ["open"],
  interfaceName: undefined,
  sourceAddresses: { v4: undefined, v6: undefined },
  sourcePort: undefined,
  gatewayMac: undefined,
  capturePath: undefined,
};
