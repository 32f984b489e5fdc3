/**
 * TCP SYN probes over IPv4: a packet built once, then patched per probe.
 * Layout from RFC 791 and RFC 9293. The packet starts at the IP header; a link puts its own header in front.
 */

import { addWords, finishChecksum } from "./checksum.ts";
import { probeCookie } from "./cookie.ts";

const IP_HEADER = 20;
const TCP_HEADER = 24;

/** IP and TCP header with one option. Targets and middleboxes are used to a SYN that tells its segment size. */
export const SYN_PACKET_BYTES = IP_HEADER + TCP_HEADER;

const DEFAULT_TTL = 64;
const DONT_FRAGMENT = 0x4000;
const PROTOCOL_TCP = 6;
const FLAG_SYN = 0x02;
const WINDOW = 64_240;
const OPTION_MSS = 2;
const MSS = 1_460;

/** Sums of the words that never change, so that a probe adds only its own. */
export interface SynTemplate {
  readonly packet: Uint8Array;
  readonly ipSum: number;
  readonly tcpSum: number;
}

export function buildSynTemplate(): SynTemplate {
  const packet = new Uint8Array(SYN_PACKET_BYTES);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, SYN_PACKET_BYTES);
  view.setUint16(6, DONT_FRAGMENT);
  view.setUint8(8, DEFAULT_TTL);
  view.setUint8(9, PROTOCOL_TCP);
  view.setUint8(32, (TCP_HEADER / 4) << 4);
  view.setUint8(33, FLAG_SYN);
  view.setUint16(34, WINDOW);
  view.setUint8(40, OPTION_MSS);
  view.setUint8(41, 4);
  view.setUint16(42, MSS);
  return {
    packet,
    ipSum: addWords(0, packet, 0, IP_HEADER),
    // The pseudo-header's protocol and length are constant too.
    tcpSum: addWords(PROTOCOL_TCP + TCP_HEADER, packet, IP_HEADER, SYN_PACKET_BYTES),
  };
}

/**
 * Writes what differs from probe to probe into the packet at `at`. Free of allocation: called for every packet.
 * @param source our address, `target` theirs: 32-bit, host order
 */
export function patchSyn(
  view: DataView,
  at: number,
  ipSum: number,
  tcpSum: number,
  k0: number,
  k1: number,
  source: number,
  target: number,
  sourcePort: number,
  targetPort: number,
): void {
  const sequence = probeCookie(k0, k1, target, source, (targetPort << 16) | sourcePort);
  const identification = sequence & 0xffff;
  const addressSum = (source >>> 16) + (source & 0xffff) + (target >>> 16) + (target & 0xffff);
  view.setUint16(at + 4, identification);
  view.setUint16(at + 10, finishChecksum(ipSum + addressSum + identification));
  view.setInt32(at + 12, source);
  view.setInt32(at + 16, target);
  view.setUint16(at + 20, sourcePort);
  view.setUint16(at + 22, targetPort);
  view.setInt32(at + 24, sequence);
  view.setUint16(
    at + 36,
    finishChecksum(tcpSum + addressSum + sourcePort + targetPort + (sequence >>> 16) + (sequence & 0xffff)),
  );
}
