/**
 * ICMP echo requests, to ask whether a host is there. Built once, then patched per probe.
 * Layouts from RFC 792 and RFC 4443; where the cookie goes is told in `probe-kind.ts`.
 */

import type { AddressFamily } from "../targets/address-words.ts";
import { finishChecksum } from "./checksum.ts";
import { probeCookie, probeCookie6 } from "./cookie.ts";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from "./ip-header.ts";
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

const ECHO_REQUEST = 8;
const ECHO_REQUEST_V6 = 128;
const ECHO_HEADER = 8;
/** The data is the cookie. */
const DATA_BYTES = 4;

export function buildEchoTemplate(family: AddressFamily): PacketTemplate {
  const message = new Uint8Array(ECHO_HEADER + DATA_BYTES);
  message[0] = family === 4 ? ECHO_REQUEST : ECHO_REQUEST_V6;
  return buildTemplate(family, family === 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, message);
}

/** Writes what differs from probe to probe into the packet at `at`. */
export function patchEcho4(
  view: DataView,
  at: number,
  ipSum: number,
  icmpSum: number,
  k0: number,
  k1: number,
  source: number,
  target: number,
  identifier: number,
): void {
  const cookie = probeCookie(k0, k1, target, source, identifier);
  patchIpv4(view, at, ipSum, halves(source) + halves(target), cookie, source, target);
  patchMessage(view, at + IPV4_HEADER, icmpSum, cookie, identifier);
}

/** The same over IPv6, where the checksum covers the addresses too. */
export function patchEcho6(
  view: DataView,
  at: number,
  icmpSum: number,
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
  identifier: number,
): void {
  const cookie = probeCookie6(k0, k1, t0, t1, t2, t3, s0, s1, s2, s3, identifier);
  patchIpv6(view, at, s0, s1, s2, s3, t0, t1, t2, t3);
  const addressSum = addressSum6(s0, s1, s2, s3, t0, t1, t2, t3);
  patchMessage(view, at + IPV6_HEADER, icmpSum + addressSum, cookie, identifier);
}

function patchMessage(view: DataView, at: number, sum: number, cookie: number, identifier: number): void {
  const sequence = cookie & 0xffff;
  view.setUint16(at + 2, finishChecksum(sum + identifier + sequence + halves(cookie)));
  view.setUint16(at + 4, identifier);
  view.setUint16(at + 6, sequence);
  view.setInt32(at + ECHO_HEADER, cookie);
}
