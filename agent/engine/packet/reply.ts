/**
 * Reads what comes back: is this packet an answer to one of our probes, and what does it say of the port or the host?
 * Follows the table in probe-kind.ts. Packets are hostile input. Every length is checked before it is trusted, and
 * nothing here throws. Checksums are not verified: virtual links leave them unfinished, and the cookie decides.
 */

import { parseIcmp } from "./icmp-reply.ts";
import {
  newIpHeader,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  readIpHeader,
} from "./ip-header.ts";
import { mayAnswer } from "./payloads.ts";
import { TCP_ACK, TCP_SYN, UDP } from "./probe-kind.ts";
import { reasonCode } from "./reason.ts";
import { cookieAt, fillReply, type Reply } from "./reply-fields.ts";

const REASON_SYN_ACK = reasonCode("syn-ack");
const REASON_RESET = reasonCode("reset");
const REASON_UDP_RESPONSE = reasonCode("udp-response");

const SYN_ACK = 0x12;
const RST = 0x04;
const RST_ACK = 0x14;

/** Scratch space of one call: the packet's own IP header. */
const header = newIpHeader();

/**
 * Reads an IP packet of `length` bytes at `at`. True when it is a genuine answer; `reply` then holds it.
 * False for everything else: truncated, foreign, forged, or answering a probe that this scan did not send.
 */
export function parseReply(
  view: DataView,
  at: number,
  length: number,
  k0: number,
  k1: number,
  firstPort: number,
  portCount: number,
  reply: Reply,
): boolean {
  if (at + length > view.byteLength || !readIpHeader(view, at, at + length, false, header)) return false;
  switch (header.protocol) {
    case PROTOCOL_TCP:
      return parseTcp(view, k0, k1, firstPort, portCount, reply);
    case PROTOCOL_UDP:
      return parseUdp(view, k0, k1, firstPort, portCount, reply);
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
      return parseIcmp(view, header, k0, k1, firstPort, portCount, reply);
    default:
      return false;
  }
}

function parseTcp(
  view: DataView,
  k0: number,
  k1: number,
  firstPort: number,
  portCount: number,
  reply: Reply,
): boolean {
  const { family, sourceAt, destinationAt, transportAt: at, end, ttl } = header;
  if (end - at < 20) return false;
  const flags = view.getUint8(at + 13) & (SYN_ACK | RST_ACK);
  if (flags !== SYN_ACK && flags !== RST_ACK && flags !== RST) return false;
  const theirPort = view.getUint16(at);
  const ourPort = view.getUint16(at + 2);
  if (ourPort < firstPort || ourPort >= firstPort + portCount) return false;
  const cookie = cookieAt(view, family, sourceAt, destinationAt, k0, k1, (theirPort << 16) | ourPort);
  // A RST without ACK answers an ACK and takes its sequence number from what that acknowledged (RFC 9293 §3.5.2).
  const isAnswerToAck = flags === RST;
  const broughtBack = isAnswerToAck ? view.getInt32(at + 4) : (view.getInt32(at + 8) - 1) | 0;
  if (broughtBack !== cookie) return false;
  const kind = isAnswerToAck ? TCP_ACK : TCP_SYN;
  const reason = flags === SYN_ACK ? REASON_SYN_ACK : REASON_RESET;
  return fillReply(view, family, sourceAt, kind, theirPort, ourPort, reason, ttl, reply);
}

function parseUdp(
  view: DataView,
  k0: number,
  k1: number,
  firstPort: number,
  portCount: number,
  reply: Reply,
): boolean {
  const { family, sourceAt, destinationAt, transportAt: at, end, ttl } = header;
  if (end - at < 8) return false;
  const datagramBytes = view.getUint16(at + 4);
  if (datagramBytes < 8 || datagramBytes > end - at) return false;
  const theirPort = view.getUint16(at);
  const ourPort = view.getUint16(at + 2);
  if (ourPort < firstPort || ourPort >= firstPort + portCount) return false;
  const cookie = cookieAt(view, family, sourceAt, destinationAt, k0, k1, (theirPort << 16) | ourPort);
  if (!mayAnswer(theirPort, view, at + 8, datagramBytes - 8, cookie)) return false;
  return fillReply(view, family, sourceAt, UDP, theirPort, ourPort, REASON_UDP_RESPONSE, ttl, reply);
}
