/** Hostile packets for the reply parser: noise that is dressed up as far as the parser looks, and genuine answers spoiled. */

import type { AddressWords } from "../../targets/address-words.ts";
import { payload, payloadsOfPort } from "../payloads.ts";
import { ICMP_ECHO, PROBE_KINDS, UDP } from "../probe-kind.ts";
import { FIRST_PORT, PORT_COUNT } from "./arbitraries.ts";
import {
  ACK,
  concat,
  cookieOf,
  echoAnswer,
  ICMP,
  icmpError,
  ICMPV6,
  type PacketOptions,
  type Probe,
  probePacket,
  RST,
  SYN,
  TCP,
  tcpAnswer,
  UDP_PROTOCOL,
  udpAnswer,
  viewOf,
} from "./packets.ts";
import type { Random } from "./random.ts";

const PROTOCOLS = [TCP, UDP_PROTOCOL, ICMP, ICMPV6, 0, 43, 44, 60];
const ICMP_TYPES = [0, 3, 11, 12, 129, 1, 4, 8];
/** Some whose service brings the cookie back, some whose does not. */
const PORTS = [53, 123, 161, 500, 5_683, 69, 1_900, 9, 443, 80];

function words(random: Random, isIpv4: boolean): AddressWords {
  const high = (): number => (isIpv4 ? 0 : random.int32());
  return [high(), high(), high(), random.int32()];
}

function drawProbe(random: Random): Probe {
  const isIpv4 = random.oneIn(2);
  const kind = random.below(PROBE_KINDS);
  return {
    family: isIpv4 ? 4 : 6,
    kind,
    source: words(random, isIpv4),
    target: words(random, isIpv4),
    sourcePort: FIRST_PORT + random.below(PORT_COUNT),
    targetPort: kind === ICMP_ECHO ? 0 : random.pick(PORTS),
  };
}

function extensions(random: Random): PacketOptions {
  const count = random.oneIn(3) ? random.below(4) : 0;
  return {
    options: random.oneIn(3) ? random.below(11) : 0,
    extensions: Array.from({ length: count }, (_, i) => {
      const type = i === 0 ? random.pick([0, 43, 44, 60]) : random.pick([43, 60]);
      return [type, new Uint8Array(8)] as const;
    }),
  };
}

/** What a genuine service could say: the request with its cookie, which many protocols repeat where it was. */
function udpData(random: Random, port: number, cookie: number): Uint8Array {
  const { bytes, cookieAt, cookieBytes } = payload(random.pick(payloadsOfPort(port)));
  const data = concat(bytes.slice(0, 200), new Uint8Array(8));
  if (cookieBytes === 4) viewOf(data).setInt32(cookieAt, cookie);
  if (cookieBytes === 2) viewOf(data).setUint16(cookieAt, cookie & 0xffff);
  return data;
}

/** An answer to a probe of this key, as it should be. */
function genuine(random: Random, k0: number, k1: number): Uint8Array {
  const probe = drawProbe(random);
  const cookie = cookieOf(probe, k0, k1);
  const headers = extensions(random);
  if (random.oneIn(3)) {
    const [type, code] = probe.family === 4 ? [random.pick([3, 11, 12]), 3] : [random.pick([1, 3, 4]), 4];
    const router = random.oneIn(2) ? probe.target : words(random, probe.family === 4);
    return icmpError(probe, router, type, code, probePacket(probe, k0, k1), headers);
  }
  if (probe.kind === UDP) return udpAnswer(probe, udpData(random, probe.targetPort, cookie), headers);
  if (probe.kind === ICMP_ECHO) return echoAnswer(probe, cookie, headers);
  const isReset = random.oneIn(2);
  return random.oneIn(2)
    ? tcpAnswer(probe, RST, cookie, 0, headers)
    : tcpAnswer(probe, isReset ? RST | ACK : SYN | ACK, 0, cookie + 1, headers);
}

/** A genuine answer with a few bytes or a length spoiled, cut, repeated behind itself, or of another scan. */
export function mutant(random: Random, k0: number, k1: number): Uint8Array {
  const isForged = random.oneIn(4);
  const packet = genuine(random, isForged ? random.int32() : k0, k1);
  for (let i = random.below(4); i > 0; i--) packet[random.below(packet.length)] = random.below(256);
  if (random.oneIn(6)) viewOf(packet).setUint16(random.below(packet.length - 1), random.pick([0, 8, 0xffff]));
  if (random.oneIn(6)) return concat(packet, packet.slice(0, random.below(packet.length)));
  return random.oneIn(3) ? packet.slice(0, random.below(packet.length)) : packet;
}

/** Noise of any length, mostly with a header and ports that are worth a look. */
export function noise(random: Random): Uint8Array {
  const bytes = new Uint8Array(random.below(128));
  for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256);
  if (bytes.length < 48 || random.oneIn(8)) return bytes;
  const isIpv4 = random.oneIn(2);
  dressHeader(random, bytes, 0, isIpv4);
  const at = isIpv4 ? ((bytes[0] ?? 0) & 15) * 4 : 40;
  dressTransport(random, bytes, at);
  const quoted = at + 8;
  if (random.oneIn(2) && bytes.length >= quoted + 48) {
    dressHeader(random, bytes, quoted, isIpv4);
    // The quoted source is where the error went.
    if (isIpv4) bytes.copyWithin(quoted + 12, 16, 20);
    else bytes.copyWithin(quoted + 8, 24, 40);
    dressTransport(random, bytes, quoted + (isIpv4 ? ((bytes[quoted] ?? 0) & 15) * 4 : 40));
  }
  return bytes;
}

function dressHeader(random: Random, bytes: Uint8Array, at: number, isIpv4: boolean): void {
  const view = viewOf(bytes);
  const protocol = random.pick(PROTOCOLS);
  const rest = random.oneIn(4) ? random.below(200) : bytes.length - at;
  if (isIpv4) {
    view.setUint8(at, 0x40 | (5 + (random.oneIn(3) ? random.below(4) : 0)));
    view.setUint16(at + 2, rest);
    view.setUint16(at + 6, random.oneIn(8) ? random.below(65_536) : 0);
    view.setUint8(at + 9, protocol);
    return;
  }
  view.setUint8(at, 0x60);
  view.setUint16(at + 4, Math.max(0, rest - 40));
  view.setUint8(at + 6, protocol);
}

/** Something for each protocol at once, whichever it is. */
function dressTransport(random: Random, bytes: Uint8Array, at: number): void {
  if (at + 14 > bytes.length) return;
  const view = viewOf(bytes);
  const port = FIRST_PORT + random.below(PORT_COUNT);
  switch (random.below(3)) {
    case 0:
      view.setUint16(at, random.pick(PORTS));
      view.setUint16(at + 2, port);
      view.setUint16(at + 4, random.oneIn(4) ? random.below(64) : bytes.length - at);
      view.setUint8(at + 13, random.pick([SYN | ACK, RST | ACK, RST]));
      break;
    case 1:
      view.setUint16(at, port);
      break;
    default:
      view.setUint8(at, random.pick(ICMP_TYPES));
      view.setUint8(at + 1, random.oneIn(2) ? 0 : random.below(16));
      view.setUint16(at + 4, port);
  }
}
