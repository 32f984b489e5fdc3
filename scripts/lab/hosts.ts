/**
 * The hosts of the lab: what every port of each answers, the same over IPv4 and IPv6. Tests and the quick start compare
 * with this; rules.ts and listeners.ts make it true.
 */

import type { TransportProtocol } from "#shared/protocol/fields.ts";
import type { PortState } from "#shared/protocol/port-state.ts";

export interface LabHost {
  readonly address: string;
  readonly address6: string;
  readonly what: string;
  /** TCP ports. */
  readonly open: readonly number[];
  /** TCP ports that answer nothing, on a host that otherwise answers. */
  readonly dropped: readonly number[];
  /** UDP ports where something answers; udp-services.ts says what. */
  readonly udpOpen: readonly number[];
  readonly udpDropped: readonly number[];
  /** What the other ports do: answer RST or ICMP port-unreachable, answer another ICMP error, or nothing. */
  readonly others: "reset" | "reject" | "drop";
}

export const LAB_LINK = {
  network: "10.213.7.0/24",
  scanner: "10.213.7.1",
  prefix: 24,
  network6: "fd00:213:7::/120",
  scanner6: "fd00:213:7::1",
  prefix6: 64,
} as const;

export const LAB_HOSTS: readonly LabHost[] = [
  {
    address: "10.213.7.10",
    address6: "fd00:213:7::10",
    what: "server",
    open: [22, 80, 443],
    dropped: [25],
    udpOpen: [53, 123, 9_999],
    udpDropped: [161],
    others: "reset",
  },
  {
    address: "10.213.7.11",
    address6: "fd00:213:7::11",
    what: "database",
    open: [22, 543, 999],
    dropped: [],
    udpOpen: [123],
    udpDropped: [],
    others: "reset",
  },
  {
    address: "10.213.7.20",
    address6: "fd00:213:7::20",
    what: "firewall that rejects",
    open: [53],
    dropped: [],
    udpOpen: [53],
    udpDropped: [],
    others: "reject",
  },
  {
    address: "10.213.7.30",
    address6: "fd00:213:7::30",
    what: "firewall that drops",
    open: [],
    dropped: [],
    udpOpen: [],
    udpDropped: [],
    others: "drop",
  },
  {
    address: "10.213.7.40",
    address6: "fd00:213:7::40",
    what: "host without services",
    open: [],
    dropped: [],
    udpOpen: [],
    udpDropped: [],
    others: "reset",
  },
];

/** What a scanner has to say of this port. */
export function trueState(host: LabHost, protocol: TransportProtocol, port: number): PortState {
  const [open, dropped] = protocol === "tcp" ? [host.open, host.dropped] : [host.udpOpen, host.udpDropped];
  if (open.includes(port)) return "open";
  return dropped.includes(port) || host.others !== "reset" ? "filtered" : "closed";
}
