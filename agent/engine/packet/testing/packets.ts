/** Packets for tests, put together from the RFCs and not by the code that sends probes, so that both cannot err alike. */

import type { AddressFamily, AddressWords } from "../../targets/address-words.ts";
import { probeCookie, probeCookie6 } from "../cookie.ts";
import { ICMP_ECHO, TCP_ACK, TCP_SYN, UDP } from "../probe-kind.ts";

export const TTL = 55;

export const ICMP = 1;
export const TCP = 6;
export const UDP_PROTOCOL = 17;
export const ICMPV6 = 58;

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const ACK = 0x10;

/** A probe as it was sent: who asked whom, and how. */
export interface Probe {
  readonly family: AddressFamily;
  readonly kind: number;
  readonly source: AddressWords;
  readonly target: AddressWords;
  readonly sourcePort: number;
  /** 0 for an echo. */
  readonly targetPort: number;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function addressBytes(family: AddressFamily, words: AddressWords): Uint8Array {
  const bytes = new Uint8Array(16);
  words.forEach((word, i) => viewOf(bytes).setInt32(i * 4, word));
  return family === 4 ? bytes.slice(12) : bytes;
}

export interface PacketOptions {
  /** Words of options that lengthen an IPv4 header. */
  readonly options?: number;
  /** IPv6 extension headers, each with its own protocol number, in their order. */
  readonly extensions?: readonly (readonly [number, Uint8Array])[];
  /** IPv4 flags and fragment offset. */
  readonly fragment?: number;
  readonly identification?: number;
  readonly flowLabel?: number;
}

/** An IP packet of any family around this payload. */
export function ipPacket(
  family: AddressFamily,
  from: AddressWords,
  to: AddressWords,
  protocol: number,
  payload: Uint8Array,
  { options = 0, extensions = [], fragment = 0, identification = 0, flowLabel = 0 }: PacketOptions = {},
): Uint8Array {
  const addresses = concat(addressBytes(family, from), addressBytes(family, to));
  if (family === 4) {
    const header = new Uint8Array(12);
    const view = viewOf(header);
    view.setUint8(0, 0x40 | (5 + options));
    view.setUint16(2, 20 + options * 4 + payload.length);
    view.setUint16(4, identification);
    view.setUint16(6, fragment);
    view.setUint8(8, TTL);
    view.setUint8(9, protocol);
    return concat(header, addresses, new Uint8Array(options * 4).fill(1), payload);
  }
  // Each header tells the next one's protocol in its first byte.
  const chain = extensions.map(([, bytes], i) =>
    Uint8Array.from([extensions[i + 1]?.[0] ?? protocol, ...bytes.slice(1)]),
  );
  const body = concat(...chain, payload);
  const header = new Uint8Array(8);
  const view = viewOf(header);
  view.setUint32(0, 0x6000_0000 + flowLabel);
  view.setUint16(4, body.length);
  view.setUint8(6, extensions[0]?.[0] ?? protocol);
  view.setUint8(7, TTL);
  return concat(header, addresses, body);
}

export function cookieOf(
  { family, source, target, sourcePort, targetPort }: Probe,
  k0: number,
  k1: number,
): number {
  const ports = (targetPort << 16) | sourcePort;
  return family === 4
    ? probeCookie(k0, k1, target[3], source[3], ports)
    : probeCookie6(k0, k1, ...target, ...source, ports);
}

export function tcpSegment(
  from: number,
  to: number,
  sequence: number,
  acknowledged: number,
  flags: number,
): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = viewOf(bytes);
  view.setUint16(0, from);
  view.setUint16(2, to);
  view.setInt32(4, sequence);
  view.setInt32(8, acknowledged);
  view.setUint8(12, 0x50);
  view.setUint8(13, flags);
  return bytes;
}

export function udpDatagram(from: number, to: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + data.length);
  const view = viewOf(bytes);
  view.setUint16(0, from);
  view.setUint16(2, to);
  view.setUint16(4, bytes.length);
  bytes.set(data, 8);
  return bytes;
}

export function echoMessage(
  type: number,
  identifier: number,
  cookie: number,
  data: number[] = [],
): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = viewOf(bytes);
  view.setUint8(0, type);
  view.setUint16(4, identifier);
  view.setUint16(6, cookie & 0xffff);
  view.setInt32(8, cookie);
  return concat(bytes, data);
}

/** The probe itself, as the table in probe-kind.ts describes it. */
export function probePacket(probe: Probe, k0: number, k1: number): Uint8Array {
  const { family, kind, source, target, sourcePort, targetPort } = probe;
  const cookie = cookieOf(probe, k0, k1);
  const low = cookie & 0xffff;
  const marks = { identification: low === 0 ? 1 : low, flowLabel: kind === UDP ? cookie & 0xfffff : 0 };
  const build = (protocol: number, payload: Uint8Array): Uint8Array =>
    ipPacket(family, source, target, protocol, payload, marks);
  switch (kind) {
    case TCP_SYN:
      return build(TCP, tcpSegment(sourcePort, targetPort, cookie, 0, SYN));
    case TCP_ACK:
      return build(TCP, tcpSegment(sourcePort, targetPort, cookie, cookie, ACK));
    case UDP:
      return build(UDP_PROTOCOL, udpDatagram(sourcePort, targetPort, Uint8Array.from([1, 2, 3, 4])));
    case ICMP_ECHO:
      return build(family === 4 ? ICMP : ICMPV6, echoMessage(family === 4 ? 8 : 128, sourcePort, cookie));
    default:
      throw new Error(`no such kind of probe: ${kind}`);
  }
}

/** An answer to a probe over TCP. */
export function tcpAnswer(
  probe: Probe,
  flags: number,
  sequence: number,
  acknowledged: number,
  options: PacketOptions = {},
): Uint8Array {
  const { family, source, target, sourcePort, targetPort } = probe;
  const segment = tcpSegment(targetPort, sourcePort, sequence, acknowledged, flags);
  return ipPacket(family, target, source, TCP, segment, options);
}

export function udpAnswer(probe: Probe, data: Uint8Array, options: PacketOptions = {}): Uint8Array {
  const { family, source, target, sourcePort, targetPort } = probe;
  return ipPacket(family, target, source, UDP_PROTOCOL, udpDatagram(targetPort, sourcePort, data), options);
}

export function echoAnswer(probe: Probe, cookie: number, options: PacketOptions = {}): Uint8Array {
  const { family, source, target, sourcePort } = probe;
  const message = echoMessage(family === 4 ? 0 : 129, sourcePort, cookie);
  return ipPacket(family, target, source, family === 4 ? ICMP : ICMPV6, message, options);
}

/** An ICMP or ICMPv6 error from `router` to the probe's source, with this quotation. */
export function icmpError(
  { family, source }: Probe,
  router: AddressWords,
  type: number,
  code: number,
  quotation: Uint8Array,
  options: PacketOptions = {},
): Uint8Array {
  const message = concat([type, code, 0, 0, 0, 0, 0, 0], quotation);
  return ipPacket(family, router, source, family === 4 ? ICMP : ICMPV6, message, options);
}
