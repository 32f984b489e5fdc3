/**
 * TCP probes: SYN to ask whether a port is open, ACK to ask whether a host is there. Built once, then patched per probe.
 * Layout from RFC 9293; where the cookie goes is told in `probe-kind.ts`.
 */

import type { AddressFamily } from "../targets/address-words.ts";
import { finishChecksum } from "./checksum.ts";
import { probeCookie, probeCookie6, probeCookies } from "./cookie.ts";
import { PROTOCOL_TCP } from "./ip-header.ts";
import {
  addressSum6,
  buildTemplate,
  halves,
  IPV4_HEADER,
  IPV6_HEADER,
  type PacketTemplate,
  patchIpv4,
  patchIpv6,
} from "./template.ts";
import { TCP_SYN } from "./probe-kind.ts";

const TCP_HEADER = 20;
const FLAG_SYN = 0x02;
const FLAG_ACK = 0x10;
const WINDOW = 64_240;
const OPTION_MSS = 2;
const OPTION_MSS_BYTES = 4;
/** What fits an Ethernet frame beside both headers. */
const MSS = { 4: 1_460, 6: 1_440 } as const;

/** The SYN has one option: targets and middleboxes are used to a SYN that tells its segment size. */
export function buildTcpTemplate(family: AddressFamily, kind: number): PacketTemplate {
  const isSyn = kind === TCP_SYN;
  const segment = new Uint8Array(TCP_HEADER + (isSyn ? OPTION_MSS_BYTES : 0));
  const view = new DataView(segment.buffer);
  view.setUint8(12, (segment.length / 4) << 4);
  view.setUint8(13, isSyn ? FLAG_SYN : FLAG_ACK);
  view.setUint16(14, WINDOW);
  if (isSyn) {
    view.setUint8(20, OPTION_MSS);
    view.setUint8(21, OPTION_MSS_BYTES);
    view.setUint16(22, MSS[family]);
  }
  return buildTemplate(family, PROTOCOL_TCP, segment);
}

/** SYN probes over IPv4 on their way into packets: by far the most, so they are finished many at once. */
export interface SynBatch {
  count: number;
  /** Where each packet begins. */
  readonly places: Int32Array;
  /** Our address, the same in all, and theirs: 32-bit, host order. */
  source: number;
  readonly targets: Int32Array;
  /** Target port in the high half, our port in the low half. */
  readonly portPairs: Int32Array;
  readonly cookies: Int32Array;
}

export function newSynBatch(most: number): SynBatch {
  return {
    count: 0,
    places: new Int32Array(most),
    source: 0,
    targets: new Int32Array(most),
    portPairs: new Int32Array(most),
    cookies: new Int32Array(most),
  };
}

/**
 * Writes what differs from probe to probe into every packet of the batch. Free of allocation, and written out: what the
 * compiler does not inline here costs more than the work itself.
 */
export function patchSyns4(
  view: DataView,
  count: number,
  places: Int32Array,
  source: number,
  targets: Int32Array,
  portPairs: Int32Array,
  cookies: Int32Array,
  ipSum: number,
  tcpSum: number,
  k0: number,
  k1: number,
): void {
  probeCookies(k0, k1, count, source, targets, portPairs, cookies);
  const sourceSum = (source >>> 16) + (source & 0xffff);
  for (let i = 0; i < count; i++) {
    const at = places[i] ?? 0;
    const target = targets[i] ?? 0;
    const ports = portPairs[i] ?? 0;
    const cookie = cookies[i] ?? 0;
    const low = cookie & 0xffff;
    const identification = low === 0 ? 1 : low;
    const addressSum = (sourceSum + (target >>> 16) + (target & 0xffff)) | 0;
    // Integers, said with `| 0`: the compiler would look for an overflow at every step.
    let sum = (ipSum + addressSum + identification) | 0;
    sum = (sum & 0xffff) + (sum >>> 16);
    sum = (sum & 0xffff) + (sum >>> 16);
    view.setUint16(at + 4, identification);
    view.setUint16(at + 10, ~sum & 0xffff);
    view.setInt32(at + 12, source);
    view.setInt32(at + 16, target);
    view.setInt32(at + 20, (ports << 16) | (ports >>> 16));
    view.setInt32(at + 24, cookie);
    sum = (tcpSum + addressSum + (ports >>> 16) + (ports & 0xffff) + (cookie >>> 16) + low) | 0;
    sum = (sum & 0xffff) + (sum >>> 16);
    sum = (sum & 0xffff) + (sum >>> 16);
    view.setUint16(at + 36, ~sum & 0xffff);
  }
}

/** Writes an ACK probe over IPv4 into the packet at `at`. Addresses are 32-bit, host order. */
export function patchAck4(
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
  const cookie = probeCookie(k0, k1, target, source, (targetPort << 16) | sourcePort);
  const addressSum = halves(source) + halves(target);
  patchIpv4(view, at, ipSum, addressSum, cookie, source, target);
  patchSegment(view, at + IPV4_HEADER, tcpSum + addressSum, cookie, sourcePort, targetPort, cookie);
}

/**
 * Writes a SYN or ACK probe over IPv6 into the packet at `at`. Addresses are four words each, most significant first.
 * @param acknowledges -1 puts the cookie into the acknowledgement number too, 0 leaves that zero
 */
export function patchTcp6(
  view: DataView,
  at: number,
  tcpSum: number,
  k0: number,
  k1: number,
  s0: number,
  s1: number,
  s2: number,
  s3: number,
  t0: number,
  t1: number,
  t2: number,
  t3: number,
  sourcePort: number,
  targetPort: number,
  acknowledges: number,
): void {
  const cookie = probeCookie6(k0, k1, t0, t1, t2, t3, s0, s1, s2, s3, (targetPort << 16) | sourcePort);
  patchIpv6(view, at, s0, s1, s2, s3, t0, t1, t2, t3);
  patchSegment(
    view,
    at + IPV6_HEADER,
    tcpSum + addressSum6(s0, s1, s2, s3, t0, t1, t2, t3),
    cookie,
    sourcePort,
    targetPort,
    cookie & acknowledges,
  );
}

function patchSegment(
  view: DataView,
  at: number,
  sum: number,
  sequence: number,
  sourcePort: number,
  targetPort: number,
  acknowledgement: number,
): void {
  view.setInt32(at, (sourcePort << 16) | targetPort);
  view.setInt32(at + 4, sequence);
  view.setInt32(at + 8, acknowledgement);
  view.setUint16(
    at + 16,
    finishChecksum(sum + sourcePort + targetPort + halves(sequence) + halves(acknowledgement)),
  );
}
