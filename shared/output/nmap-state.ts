/** Port states in nmap's words, for the formats that nmap's users read. */

import type { PortResult } from "../protocol/job.ts";

/**
 * Silence of a UDP port is `filtered` with reason `no-response` on our wire; nmap says `open|filtered`, because a UDP
 * service need not answer what it does not understand.
 */
export function nmapState({
  protocol,
  state,
  reason,
}: Pick<PortResult, "protocol" | "state" | "reason">): string {
  return protocol === "udp" && state === "filtered" && reason === "no-response" ? "open|filtered" : state;
}
