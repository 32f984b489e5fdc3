/** Why a port or a host is said to be in its state: one name for each thing that an answer, or its absence, can say. */

import { ICMP_ECHO, UDP } from "./probe-kind.ts";

/** The places are the record format's numbers, so new names go to the end; the names are the wire's `reason`. */
export const REASON_NAMES = [
  "no-response",
  "syn-ack",
  "reset",
  "network-unreachable",
  "host-unreachable",
  "protocol-unreachable",
  /** For UDP only when the target itself says so; from anyone else it is "icmp-unreachable". */
  "port-unreachable",
  "admin-prohibited",
  "time-exceeded",
  "icmp-unreachable",
  "no-arp-reply",
  "send-failed",
  "udp-response",
  "echo-reply",
  "arp-reply",
  "nd-reply",
  "no-nd-reply",
  "parameter-problem",
] as const;
export type ReasonName = (typeof REASON_NAMES)[number];

export function reasonCode(name: ReasonName): number {
  return REASON_NAMES.indexOf(name);
}

/** What a port is said to be; the wire's port states. */
export type ProbedState = "open" | "closed" | "filtered";

const SIGNS_OF_LIFE: ReadonlySet<ReasonName> = new Set([
  "syn-ack",
  "reset",
  "udp-response",
  "echo-reply",
  "arp-reply",
  "nd-reply",
]);

/** Whether the target itself must have said so, whatever it was asked. */
export function provesHostUp(reason: ReasonName): boolean {
  return SIGNS_OF_LIFE.has(reason);
}

/** What a reason says of the port that a probe of this kind asked. An echo asks for the host: open means that it is up. */
export function stateOfReason(kind: number, reason: ReasonName): ProbedState {
  switch (kind) {
    case UDP:
      if (reason === "udp-response") return "open";
      return reason === "port-unreachable" ? "closed" : "filtered";
    case ICMP_ECHO:
      return provesHostUp(reason) ? "open" : "filtered";
    default:
      if (reason === "syn-ack") return "open";
      return reason === "reset" ? "closed" : "filtered";
  }
}
