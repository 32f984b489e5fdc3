/**
 * Packet templates: an IP packet built once, with the sums of its constant words, so that a probe writes and adds only its
 * own. What is common to all kinds of probe; the kinds have a file each. Layouts from RFC 791 and RFC 8200.
 * Packets start at the IP header; a link puts its own header in front.
 */

import type { AddressFamily } from "../targets/address-words.ts";
import { addWords, finishChecksum } from "./checksum.ts";
import { PROTOCOL_ICMP } from "./ip-header.ts";

export const IPV4_HEADER = 20;
export const IPV6_HEADER = 40;

const HOP_LIMIT = 64;
const DONT_FRAGMENT = 0x4000;

export interface PacketTemplate {
  readonly packet: Uint8Array;
  /** Of the IPv4 header; 0 for IPv6, which has no checksum. */
  readonly ipSum: number;
  /** Of what follows the IP header, and of the constant part of the pseudo-header where there is one. */
  readonly transportSum: number;
}

/** @param transport what follows the IP header, its checksum and all that differs from probe to probe zero */
export function buildTemplate(
  family: AddressFamily,
  protocol: number,
  transport: Uint8Array,
): PacketTemplate {
  const headerBytes = family === 4 ? IPV4_HEADER : IPV6_HEADER;
  const packet = new Uint8Array(headerBytes + transport.length);
  const view = new DataView(packet.buffer);
  if (family === 4) {
    view.setUint8(0, 0x45);
    view.setUint16(2, packet.length);
    view.setUint16(6, DONT_FRAGMENT);
    view.setUint8(8, HOP_LIMIT);
    view.setUint8(9, protocol);
  } else {
    view.setUint8(0, 0x60);
    view.setUint16(4, transport.length);
    view.setUint8(6, protocol);
    view.setUint8(7, HOP_LIMIT);
  }
  packet.set(transport, headerBytes);
  // The pseudo-header's protocol and length are constant too. ICMP over IPv4 alone has no pseudo-header.
  const pseudoHeaderSum = protocol === PROTOCOL_ICMP ? 0 : protocol + transport.length;
  return {
    packet,
    ipSum: family === 4 ? addWords(0, packet, 0, IPV4_HEADER) : 0,
    transportSum: addWords(pseudoHeaderSum, transport, 0, transport.length),
  };
}

/** Both halves of a word, added: its part in a checksum. */
export function halves(word: number): number {
  return (word >>> 16) + (word & 0xffff);
}

/** The IPv4 identification that a cookie gives. Never 0: the kernel would put a number of its own there. */
export function identificationOf(cookie: number): number {
  const low = cookie & 0xffff;
  return low === 0 ? 1 : low;
}

/** @param addressSum `halves` of both addresses, which the transport's checksum needs too */
export function patchIpv4(
  view: DataView,
  at: number,
  ipSum: number,
  addressSum: number,
  cookie: number,
  source: number,
  target: number,
): void {
  const identification = identificationOf(cookie);
  view.setUint16(at + 4, identification);
  view.setUint16(at + 10, finishChecksum(ipSum + addressSum + identification));
  view.setInt32(at + 12, source);
  view.setInt32(at + 16, target);
}

export function patchIpv6(
  view: DataView,
  at: number,
  s0: number,
  s1: number,
  s2: number,
  s3: number,
  t0: number,
  t1: number,
  t2: number,
  t3: number,
): void {
  view.setInt32(at + 8, s0);
  view.setInt32(at + 12, s1);
  view.setInt32(at + 16, s2);
  view.setInt32(at + 20, s3);
  view.setInt32(at + 24, t0);
  view.setInt32(at + 28, t1);
  view.setInt32(at + 32, t2);
  view.setInt32(at + 36, t3);
}

/** What both addresses add to a checksum. */
export function addressSum6(
  s0: number,
  s1: number,
  s2: number,
  s3: number,
  t0: number,
  t1: number,
  t2: number,
  t3: number,
): number {
  return (
    halves(s0) + halves(s1) + halves(s2) + halves(s3) + halves(t0) + halves(t1) + halves(t2) + halves(t3)
  );
}
