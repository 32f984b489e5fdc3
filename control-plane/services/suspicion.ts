/** What is too good to be true. It is marked, and changes nothing. */

import { STATE_CODES } from "../store/endpoint-key.ts";
import type { ComparedResult } from "../store/results.ts";

/** Fewer open ports than this are believed of any host. */
const MIN_OPEN_PORTS = 100;
/** Of the TCP ports that were probed. No real host has so many services. */
const MAX_OPEN_SHARE = 0.5;

/**
 * True for a host that seems to answer on every port: a firewall or a proxy answers for it.
 * @param seen results of one address
 * @param tcpPorts how many were probed
 */
export function answersOnEveryPort(seen: readonly ComparedResult[], tcpPorts: number): boolean {
  if (tcpPorts < MIN_OPEN_PORTS) return false;
  let open = 0;
  for (const { state } of seen) if (state === STATE_CODES.open) open++;
  return open >= MIN_OPEN_PORTS && open > tcpPorts * MAX_OPEN_SHARE;
}
