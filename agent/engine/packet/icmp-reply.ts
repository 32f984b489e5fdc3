/** Reads ICMP and ICMPv6: echo replies, and errors that quote one of our probes (RFC 792, RFC 4443). Called by reply.ts. */

import { reasonOfIcmp, reasonOfIcmpv6 } from "./icmp-reason.ts";
import {
  type IpHeader,
  newIpHeader,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  readIpHeader,
} from "./ip-header.ts";
import { ICMP_ECHO, TCP_ACK, TCP_SYN, UDP } from "./probe-kind.ts";
import { reasonCode } from "./reason.ts";
import { cookieAt, fillReply, type Reply, sameAddress } from "./reply-fields.ts";

const REASON_ECHO_REPLY = reasonCode("echo-reply");
const REASON_PORT_UNREACHABLE = reasonCode("port-unreachable");
const REASON_ICMP_UNREACHABLE = reasonCode("icmp-unreachable");

const ECHO_REPLY = 0;
const ECHO_REQUEST = 8;
const ECHO_REQUEST_V6 = 128;
const ECHO_REPLY_V6 = 129;

const FLAG_SYN = 0x02;
const FLAG_ACK = 0x10;

/** Scratch space of one call: the header of the packet that an error quotes. */
const quoted = newIpHeader();

/** @param outer the header of a packet whose protocol is ICMP or ICMPv6 */
export function parseIcmp(
  view: DataView,
  outer: IpHeader,
  k0: number,
  k1: number,
  firstPort: number,
  portCount: number,
  reply: Reply,
): boolean {
  const at = outer.transportAt;
  const isIcmpv6 = outer.protocol === PROTOCOL_ICMPV6;
  if (outer.end - at < 8 || isIcmpv6 !== (outer.family === 6)) return false;
  const type = view.getUint8(at);
  const code = view.getUint8(at + 1);
  if (type === (isIcmpv6 ? ECHO_REPLY_V6 : ECHO_REPLY)) {
    const identifier = view.getUint16(at + 4);
    if (code !== 0 || identifier < firstPort || identifier >= firstPort + portCount) return false;
    const { family, sourceAt, destinationAt, ttl } = outer;
    const cookie = cookieAt(view, family, sourceAt, destinationAt, k0, k1, identifier);
    if (outer.end - at < 12 || !isOurEcho(view, at, outer.end, cookie)) return false;
    return fillReply(view, family, sourceAt, ICMP_ECHO, 0, identifier, REASON_ECHO_REPLY, ttl, reply);
  }
  const reason = isIcmpv6 ? reasonOfIcmpv6(type, code) : reasonOfIcmp(type, code);
  if (reason < 0 || !readIpHeader(view, at + 8, outer.end, true, quoted)) return false;
  // The error must have come to the address that the quoted packet left from.
  if (quoted.family !== outer.family) return false;
  if (!sameAddress(view, quoted.family, quoted.sourceAt, outer.destinationAt)) return false;
  // The first eight bytes behind its IP header are always quoted.
  if (quoted.end - quoted.transportAt < 8) return false;
  switch (quoted.protocol) {
    case PROTOCOL_TCP:
      return parseQuotedTcp(view, outer.ttl, k0, k1, firstPort, portCount, reason, reply);
    case PROTOCOL_UDP:
      return parseQuotedUdp(view, outer, at + 8, k0, k1, firstPort, portCount, reason, reply);
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
      return parseQuotedEcho(view, outer.ttl, k0, k1, firstPort, portCount, reason, reply);
    default:
      return false;
  }
}

function parseQuotedTcp(
  view: DataView,
  ttl: number,
  k0: number,
  k1: number,
  firstPort: number,
  portCount: number,
  reason: number,
  reply: Reply,
): boolean {
  const { family, sourceAt, destinationAt, transportAt: at, end } = quoted;
  const ourPort = view.getUint16(at);
  const theirPort = view.getUint16(at + 2);
  if (ourPort < firstPort || ourPort >= firstPort + portCount) return false;
  const ports = (theirPort << 16) | ourPort;
  if (view.getInt32(at + 4) !== cookieAt(view, family, destinationAt, sourceAt, k0, k1, ports)) return false;
  // The flags lie behind the first eight bytes. Where they are not quoted: ports are asked by SYN.
  const isAck = end - at >= 14 && (view.getUint8(at + 13) & (FLAG_SYN | FLAG_ACK)) === FLAG_ACK;
  const kind = isAck ? TCP_ACK : TCP_SYN;
  return fillReply(view, family, destinationAt, kind, theirPort, ourPort, reason, ttl, reply);
}

function parseQuotedUdp(
  view: DataView,
  outer: IpHeader,
  packetAt: number,
  k0: number,
  k1: number,
  firstPort: number,
  portCount: number,
  reason: number,
  reply: Reply,
): boolean {
  const { family, sourceAt, destinationAt, transportAt: at } = quoted;
  const ourPort = view.getUint16(at);
  const theirPort = view.getUint16(at + 2);
  if (ourPort < firstPort || ourPort >= firstPort + portCount) return false;
  const cookie = cookieAt(view, family, destinationAt, sourceAt, k0, k1, (theirPort << 16) | ourPort);
  const carriesCookie =
    family === 4
      ? view.getUint16(packetAt + 4) === (cookie & 0xffff || 1)
      : (view.getInt32(packetAt) & 0xfffff) === (cookie & 0xfffff);
  if (!carriesCookie) return false;
  // A firewall on the way that rejects with "port unreachable" does not know whether the port is closed.
  const isHearsay =
    reason === REASON_PORT_UNREACHABLE && !sameAddress(view, family, destinationAt, outer.sourceAt);
  const believed = isHearsay ? REASON_ICMP_UNREACHABLE : reason;
  return fillReply(view, family, destinationAt, UDP, theirPort, ourPort, believed, outer.ttl, reply);
}

function parseQuotedEcho(
  view: DataView,
  ttl: number,
  k0: number,
  k1: number,
  firstPort: number,
  portCount: number,
  reason: number,
  reply: Reply,
): boolean {
  const { family, protocol, sourceAt, destinationAt, transportAt: at, end } = quoted;
  const isIcmpv6 = protocol === PROTOCOL_ICMPV6;
  if (isIcmpv6 !== (family === 6)) return false;
  if (view.getUint8(at) !== (isIcmpv6 ? ECHO_REQUEST_V6 : ECHO_REQUEST)) return false;
  const identifier = view.getUint16(at + 4);
  if (identifier < firstPort || identifier >= firstPort + portCount) return false;
  const cookie = cookieAt(view, family, destinationAt, sourceAt, k0, k1, identifier);
  if (!isOurEcho(view, at, end, cookie)) return false;
  return fillReply(view, family, destinationAt, ICMP_ECHO, 0, identifier, reason, ttl, reply);
}

/** The sequence number is always there; the data, in an error, only where the quotation reaches it. */
function isOurEcho(view: DataView, at: number, end: number, cookie: number): boolean {
  if (view.getUint16(at + 6) !== (cookie & 0xffff)) return false;
  return end - at < 12 || view.getInt32(at + 8) === cookie;
}
