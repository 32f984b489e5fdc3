/** What an ICMP or ICMPv6 error says of the probe that it quotes, as a reason. Whose probe it was is not decided here. */

import { reasonCode } from "./reason.ts";

const NETWORK = reasonCode("network-unreachable");
const HOST = reasonCode("host-unreachable");
const PROTOCOL = reasonCode("protocol-unreachable");
const PORT = reasonCode("port-unreachable");
const PROHIBITED = reasonCode("admin-prohibited");
const EXCEEDED = reasonCode("time-exceeded");
const PARAMETER = reasonCode("parameter-problem");
const OTHER = reasonCode("icmp-unreachable");

/** Destination unreachable by code: RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1. */
const UNREACHABLE: readonly number[] = [
  NETWORK,
  HOST,
  PROTOCOL,
  PORT,
  OTHER, // fragmentation needed
  OTHER, // source route failed
  NETWORK, // destination network unknown
  HOST, // destination host unknown
  OTHER, // source host isolated
  PROHIBITED, // network
  PROHIBITED, // host
  NETWORK, // for this type of service
  HOST, // for this type of service
  PROHIBITED, // communication
];

/** Destination unreachable by code: RFC 4443 §3.1, RFC 8883 §3. */
const UNREACHABLE_V6: readonly number[] = [
  NETWORK, // no route
  PROHIBITED,
  OTHER, // beyond the scope of the source address
  HOST,
  PORT,
  PROHIBITED, // source address failed a policy
  PROHIBITED, // reject route
];

/** The reason that an ICMP message of this type and code gives, or -1 where it is no error about a packet of ours. */
export function reasonOfIcmp(type: number, code: number): number {
  if (type === 3) return UNREACHABLE[code] ?? OTHER;
  if (type === 11) return EXCEEDED;
  return type === 12 ? PARAMETER : -1;
}

/** The same for ICMPv6. "Packet too big" is none: no probe is larger than the least MTU of IPv6. */
export function reasonOfIcmpv6(type: number, code: number): number {
  if (type === 1) return UNREACHABLE_V6[code] ?? OTHER;
  if (type === 3) return EXCEEDED;
  if (type !== 4) return -1;
  // Code 1 says that the target does not know the protocol.
  return code === 1 ? PROTOCOL : PARAMETER;
}
