/**
 * Says of an accepted packet whether it really brings back the cookie of the probe that it is taken to answer. Slow, plain,
 * and put together another way than the parser: from the answer's claims to the bytes that must then be there.
 */

import { payload, payloadsOfPort } from "../payloads.ts";
import { ICMP_ECHO, TCP_ACK, TCP_SYN, UDP } from "../probe-kind.ts";
import type { Reply } from "../reply-fields.ts";
import { FIRST_PORT, PORT_COUNT } from "./arbitraries.ts";
import { cookieOf, ICMP, ICMPV6, type Probe, TCP, UDP_PROTOCOL, viewOf } from "./packets.ts";

const EXTENSIONS = new Set([0, 43, 44, 60]);

interface Layout {
  readonly isIpv4: boolean;
  readonly protocol: number;
  readonly transport: number;
}

function layoutAt(bytes: Uint8Array, at: number): Layout {
  const view = viewOf(bytes);
  const isIpv4 = view.getUint8(at) >>> 4 === 4;
  if (isIpv4) {
    return { isIpv4, protocol: view.getUint8(at + 9), transport: at + (view.getUint8(at) & 15) * 4 };
  }
  let protocol = view.getUint8(at + 6);
  let transport = at + 40;
  while (EXTENSIONS.has(protocol)) {
    const words = protocol === 44 ? 1 : view.getUint8(transport + 1) + 1;
    protocol = view.getUint8(transport);
    transport += words * 8;
  }
  return { isIpv4, protocol, transport };
}

function hasAddress(bytes: Uint8Array, at: number, isIpv4: boolean, reply: Reply): boolean {
  const view = viewOf(bytes);
  const words = isIpv4 ? [reply.t3] : [reply.t0, reply.t1, reply.t2, reply.t3];
  return words.every((word, i) => view.getInt32(at + i * 4) === word);
}

/** The probe that the packet at `at` would be, or would answer. */
function probeOf(bytes: Uint8Array, ourAddressAt: number, reply: Reply): Probe {
  const view = viewOf(bytes);
  const word = (i: number): number => view.getInt32(ourAddressAt + i * 4);
  const isIpv4 = reply.family === 4;
  return {
    family: isIpv4 ? 4 : 6,
    kind: reply.kind,
    source: isIpv4 ? [0, 0, 0, word(0)] : [word(0), word(1), word(2), word(3)],
    target: [reply.t0, reply.t1, reply.t2, reply.t3],
    sourcePort: reply.ourPort,
    targetPort: reply.targetPort,
  };
}

export function isGenuine(bytes: Uint8Array, reply: Reply, k0: number, k1: number): boolean {
  if (reply.ourPort < FIRST_PORT || reply.ourPort >= FIRST_PORT + PORT_COUNT) return false;
  const view = viewOf(bytes);
  const { isIpv4, protocol, transport: at } = layoutAt(bytes, 0);
  if (isIpv4 !== (reply.family === 4)) return false;
  const isDirect = protocol === TCP || protocol === UDP_PROTOCOL || view.getUint8(at) === (isIpv4 ? 0 : 129);
  if (!isDirect) return quotesProbe(bytes, at + 8, reply, k0, k1);
  const cookie = cookieOf(probeOf(bytes, isIpv4 ? 16 : 24, reply), k0, k1);
  if (!hasAddress(bytes, isIpv4 ? 12 : 8, isIpv4, reply)) return false;
  switch (reply.kind) {
    case TCP_SYN:
      return protocol === TCP && view.getInt32(at + 8) === ((cookie + 1) | 0);
    case TCP_ACK:
      return protocol === TCP && view.getInt32(at + 4) === cookie;
    case ICMP_ECHO:
      return protocol === (isIpv4 ? ICMP : ICMPV6) && view.getInt32(at + 8) === cookie;
    default:
      return protocol === UDP_PROTOCOL && bringsBack(bytes.slice(at + 8), reply.targetPort, cookie);
  }
}

/** The cookie's bytes are somewhere in the data, or the port has a payload of which nothing can be told. */
function bringsBack(data: Uint8Array, port: number, cookie: number): boolean {
  const payloads = payloadsOfPort(port).map(payload);
  if (payloads.some(({ cookieBytes }) => cookieBytes === 0)) return true;
  const low = [(cookie >>> 8) & 0xff, cookie & 0xff];
  const high = [cookie >>> 24, (cookie >>> 16) & 0xff];
  return [low, high].some(([first, second]) =>
    data.some((byte, i) => byte === first && data[i + 1] === second),
  );
}

function quotesProbe(bytes: Uint8Array, packet: number, reply: Reply, k0: number, k1: number): boolean {
  const view = viewOf(bytes);
  const { isIpv4, protocol, transport: at } = layoutAt(bytes, packet);
  const cookie = cookieOf(probeOf(bytes, packet + (isIpv4 ? 12 : 8), reply), k0, k1);
  if (!hasAddress(bytes, packet + (isIpv4 ? 16 : 24), isIpv4, reply)) return false;
  switch (reply.kind) {
    case TCP_SYN:
    case TCP_ACK:
      return protocol === TCP && view.getInt32(at + 4) === cookie;
    case UDP:
      if (protocol !== UDP_PROTOCOL) return false;
      return isIpv4
        ? view.getUint16(packet + 4) === Math.max(1, cookie & 0xffff)
        : (view.getUint32(packet) & 0xfffff) === (cookie & 0xfffff);
    default:
      return protocol === (isIpv4 ? ICMP : ICMPV6) && view.getUint16(at + 6) === (cookie & 0xffff);
  }
}
