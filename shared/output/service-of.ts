/** The service of a port: what was recognised there, else what IANA says usually runs on it. */

import { serviceName } from "../net/service-names.ts";
import type { PortResult } from "../protocol/job.ts";

export function serviceOf({
  service,
  port,
  protocol,
}: Pick<PortResult, "service" | "port" | "protocol">): string | undefined {
  return service ?? serviceName(port, protocol);
}
