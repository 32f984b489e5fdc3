/**
 * UDP probes: a datagram with a payload that may make the service speak. Built once a payload, then patched per probe.
 * Layout from RFC 768; the payloads themselves come from `payloads.ts`.
 */

import type { AddressFamily } from "../targets/address-words.ts";
import { finishChecksum } from "./checksum.ts";
import { probeCookie, probeCookie6 } from "./cookie.ts";
import { PROTOCOL_UDP } from "./ip-header.ts";
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
import type { UdpPayload } from "./payloads.ts";

const UDP_HEADER = 8;
/** Version 6, traffic class 0; the flow label follows. */
const IPV6_VERSION = 0x6000_0000;
const FLOW_LABEL_MASK = 0xf_ffff;

export function buildUdpTemplate(
  family: AddressFamily,
  { bytes, cookieAt, cookieBytes }: UdpPayload,
): PacketTemplate {
  const datagram = new Uint8Array(UDP_HEADER + bytes.length);
  new DataView(datagram.buffer).setUint16(4, datagram.length);
  datagram.set(bytes, UDP_HEADER);
  if (cookieBytes > 0) datagram.fill(0, UDP_HEADER + cookieAt, UDP_HEADER + cookieAt + cookieBytes);
  return buildTemplate(family, PROTOCOL_UDP, datagram);
}

/**
 * Writes what differs from probe to probe into the packet at `at`.
 * @param cookieAt where in the payload the cookie goes, and `cookieBytes` how much of it: 0, the low 2, or all 4
 */
export function patchUdp4(
  view: DataView,
  at: number,
  ipSum: number,
  udpSum: number,
  k0: number,
  k1: number,
  source: number,
  target: number,
  sourcePort: number,
  targetPort: number,
  cookieAt: number,
  cookieBytes: number,
): void {
  const cookie = probeCookie(k0, k1, target, source, (targetPort << 16) | sourcePort);
  const addressSum = halves(source) + halves(target);
  patchIpv4(view, at, ipSum, addressSum, cookie, source, target);
  patchDatagram(
    view,
    at + IPV4_HEADER,
    udpSum + addressSum,
    cookie,
    sourcePort,
    targetPort,
    cookieAt,
    cookieBytes,
  );
}

/** The same over IPv6. Addresses are four words each, most significant first. */
export function patchUdp6(
  view: DataView,
  at: number,
  udpSum: number,
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
  cookieAt: number,
  cookieBytes: number,
): void {
  const cookie = probeCookie6(k0, k1, t0, t1, t2, t3, s0, s1, s2, s3, (targetPort << 16) | sourcePort);
  view.setInt32(at, IPV6_VERSION | (cookie & FLOW_LABEL_MASK));
  patchIpv6(view, at, s0, s1, s2, s3, t0, t1, t2, t3);
  patchDatagram(
    view,
    at + IPV6_HEADER,
    udpSum + addressSum6(s0, s1, s2, s3, t0, t1, t2, t3),
    cookie,
    sourcePort,
    targetPort,
    cookieAt,
    cookieBytes,
  );
}

function patchDatagram(
  view: DataView,
  at: number,
  sum: number,
  cookie: number,
  sourcePort: number,
  targetPort: number,
  cookieAt: number,
  cookieBytes: number,
): void {
  view.setInt32(at, (sourcePort << 16) | targetPort);
  const written = cookieBytes === 4 ? cookie : cookieBytes === 2 ? cookie & 0xffff : 0;
  const place = at + UDP_HEADER + cookieAt;
  if (cookieBytes === 4) view.setInt32(place, written);
  else if (cookieBytes === 2) view.setUint16(place, written);
  // At an odd place the bytes fall into the other halves of their words.
  const inOrder = (cookieAt & 1) === 0 ? written : swapBytes(written);
  const checksum = finishChecksum(sum + sourcePort + targetPort + halves(inOrder));
  // Zero would say that there is no checksum (RFC 768); both stand for the same sum.
  view.setUint16(at + 6, checksum === 0 ? 0xffff : checksum);
}

/** Swaps the bytes within each half. */
function swapBytes(word: number): number {
  return ((word & 0x00ff_00ff) << 8) | ((word >>> 8) & 0x00ff_00ff);
}
