/**
 * Reads what comes back: is this packet an answer to one of our probes, and what does it say of the port?
 * Packets are hostile input. Every length is checked before it is trusted, and nothing here throws.
 */

import { probeCookie } from "./cookie.ts";

/** What an answer says. The numbers are the record format's; names are the wire's `reason`. */
export const REASON_NAMES = [
  "no-response",
  "syn-ack",
  "reset",
  "network-unreachable",
  "host-unreachable",
  "protocol-unreachable",
  "port-unreachable",
  "admin-prohibited",
  "time-exceeded",
  "icmp-unreachable",
  "no-arp-reply",
  "send-failed",
] as const;
export type ReasonName = (typeof REASON_NAMES)[number];

export function reasonCode(name: ReasonName): number {
  return REASON_NAMES.indexOf(name);
}

const SYN_ACK = reasonCode("syn-ack");
const RESET = reasonCode("reset");

/** One parsed answer, reused for every packet so that none is allocated. Valid while `parseReply` said so. */
export interface Reply {
  /** Address and port that were probed, whoever answered. */
  target: number;
  targetPort: number;
  ourPort: number;
  reason: number;
  ttl: number;
}

export function newReply(): Reply {
  return { target: 0, targetPort: 0, ourPort: 0, reason: 0, ttl: 0 };
}

const PROTOCOL_ICMP = 1;
const PROTOCOL_TCP = 6;
const FLAG_SYN = 0x02;
const FLAG_RST = 0x04;
const FLAG_ACK = 0x10;
const ICMP_UNREACHABLE = 3;
const ICMP_TIME_EXCEEDED = 11;

/** ICMP destination-unreachable codes (RFC 792, RFC 1812 §5.2.7.1) as reasons. */
function unreachableReason(code: number): number {
  switch (code) {
    case 0:
    case 6:
    case 11:
      return reasonCode("network-unreachable");
    case 1:
    case 7:
    case 12:
      return reasonCode("host-unreachable");
    case 2:
      return reasonCode("protocol-unreachable");
    case 3:
      return reasonCode("port-unreachable");
    case 9:
    case 10:
    case 13:
      return reasonCode("admin-prohibited");
    default:
      return reasonCode("icmp-unreachable");
  }
}

/**
 * Reads an IPv4 packet of `length` bytes at `at`. True when it is a genuine answer; `reply` then holds it.
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
  if (length < 20 || at + length > view.byteLength) return false;
  const versionAndLength = view.getUint8(at);
  const headerBytes = (versionAndLength & 15) * 4;
  if (versionAndLength >>> 4 !== 4 || headerBytes < 20) return false;
  const totalBytes = view.getUint16(at + 2);
  if (totalBytes > length || totalBytes < headerBytes) return false;
  // A later fragment has no transport header to read.
  if ((view.getUint16(at + 6) & 0x1fff) !== 0) return false;

  const from = view.getInt32(at + 12);
  const to = view.getInt32(at + 16);
  const payload = at + headerBytes;
  const payloadBytes = totalBytes - headerBytes;
  const protocol = view.getUint8(at + 9);
  reply.ttl = view.getUint8(at + 8);

  if (protocol === PROTOCOL_TCP) {
    if (payloadBytes < 20) return false;
    const flags = view.getUint8(payload + 13);
    const isSynAck = (flags & (FLAG_SYN | FLAG_ACK | FLAG_RST)) === (FLAG_SYN | FLAG_ACK);
    const isReset = (flags & (FLAG_RST | FLAG_ACK | FLAG_SYN)) === (FLAG_RST | FLAG_ACK);
    if (!isSynAck && !isReset) return false;
    const theirPort = view.getUint16(payload);
    const ourPort = view.getUint16(payload + 2);
    if (ourPort < firstPort || ourPort >= firstPort + portCount) return false;
    const cookie = probeCookie(k0, k1, from, to, (theirPort << 16) | ourPort);
    if (((view.getInt32(payload + 8) - 1) | 0) !== cookie) return false;
    reply.target = from >>> 0;
    reply.targetPort = theirPort;
    reply.ourPort = ourPort;
    reply.reason = isSynAck ? SYN_ACK : RESET;
    return true;
  }

  if (protocol === PROTOCOL_ICMP) {
    // 8 bytes of ICMP header, then the quoted IP header and at least 8 bytes of the quoted TCP header (RFC 792).
    if (payloadBytes < 8 + 20 + 8) return false;
    const type = view.getUint8(payload);
    if (type !== ICMP_UNREACHABLE && type !== ICMP_TIME_EXCEEDED) return false;
    const quoted = payload + 8;
    const quotedVersion = view.getUint8(quoted);
    const quotedHeader = (quotedVersion & 15) * 4;
    if (quotedVersion >>> 4 !== 4 || quotedHeader < 20) return false;
    if (payloadBytes < 8 + quotedHeader + 8) return false;
    if (view.getUint8(quoted + 9) !== PROTOCOL_TCP) return false;
    const quotedSource = view.getInt32(quoted + 12);
    const quotedTarget = view.getInt32(quoted + 16);
    if (quotedSource !== to) return false;
    const ourPort = view.getUint16(quoted + quotedHeader);
    const theirPort = view.getUint16(quoted + quotedHeader + 2);
    if (ourPort < firstPort || ourPort >= firstPort + portCount) return false;
    const cookie = probeCookie(k0, k1, quotedTarget, quotedSource, (theirPort << 16) | ourPort);
    if (view.getInt32(quoted + quotedHeader + 4) !== cookie) return false;
    reply.target = quotedTarget >>> 0;
    reply.targetPort = theirPort;
    reply.ourPort = ourPort;
    reply.reason =
      type === ICMP_TIME_EXCEEDED
        ? reasonCode("time-exceeded")
        : unreachableReason(view.getUint8(payload + 1));
    return true;
  }

  return false;
}
