/** The service of a port: what was recognised there, else what IANA says usually runs on it. */

import { serviceName } from "#shared/net/service-names.ts";
import type { PortResult } from "#shared/protocol/job.ts";

export function serviceOf({ service, port, protocol }: PortResult): string | undefined {
  return service ?? serviceName(port, protocol);
}
