/** What is not an answer to one of our probes is refused: cut, forged, foreign, or oddly built. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { AddressWords } from "../targets/address-words.ts";
import { ICMP_ECHO, TCP_ACK, TCP_SYN, UDP } from "./probe-kind.ts";
import { newReply } from "./reply-fields.ts";
import { parseReply } from "./reply.ts";
import { FIRST_PORT, PORT_COUNT, probe } from "./testing/arbitraries.ts";
import {
  ACK,
  cookieOf,
  echoAnswer,
  FIN,
  icmpError,
  ipPacket,
  type PacketOptions,
  type Probe,
  probePacket,
  RST,
  SYN,
  tcpAnswer,
  tcpSegment,
  udpAnswer,
  viewOf,
} from "./testing/packets.ts";

const K0 = 0x1234_5678;
const K1 = 0x0fed_cba9;
const ROUTER: AddressWords = [0, 0, 0, 0x0a00_00fe];

const V4: Probe = {
  family: 4,
  kind: TCP_SYN,
  source: [0, 0, 0, 0x0a00_0001],
  target: [0, 0, 0, 0x0a08_0105],
  sourcePort: 61_001,
  targetPort: 443,
};
const V6: Probe = {
  ...V4,
  family: 6,
  source: [0x2001_0db8, 0, 0, 1],
  target: [0x2001_0db8, 0, 1, 2],
};

function isAccepted(bytes: Uint8Array, k0 = K0, first = FIRST_PORT, count = PORT_COUNT): boolean {
  return parseReply(viewOf(bytes.slice()), 0, bytes.length, k0, K1, first, count, newReply());
}

/** A genuine answer of each sort to this probe, whatever its own kind. */
function answersTo(probe: Probe): readonly (readonly [string, Uint8Array])[] {
  const isIpv4 = probe.family === 4;
  const cookie = cookieOf(probe, K0, K1);
  const error = (kind: number): Uint8Array =>
    icmpError(probe, probe.target, isIpv4 ? 3 : 1, 1, probePacket({ ...probe, kind }, K0, K1));
  const echo = { ...probe, kind: ICMP_ECHO, targetPort: 0 };
  const echoed = probePacket(echo, K0, K1);
  return [
    ["SYN-ACK", tcpAnswer(probe, SYN | ACK, 0, cookie + 1)],
    ["RST of a SYN", tcpAnswer(probe, RST | ACK, 0, cookie + 1)],
    ["RST of an ACK", tcpAnswer(probe, RST, cookie, 0)],
    ["echo reply", echoAnswer(echo, cookieOf(echo, K0, K1))],
    ["error about a SYN", error(TCP_SYN)],
    ["error about an ACK", error(TCP_ACK)],
    ["error about a datagram", error(UDP)],
    ["error about an echo", icmpError(echo, probe.target, isIpv4 ? 3 : 1, 1, echoed)],
  ];
}

const ANSWERS = [
  ...answersTo(V4).map(([name, packet]) => [`IPv4 ${name}`, packet] as const),
  ...answersTo(V6).map(([name, packet]) => [`IPv6 ${name}`, packet] as const),
];

describe.each(ANSWERS)("%s", (name, packet) => {
  const isIpv4 = name.startsWith("IPv4");

  test("is accepted as it is", () => {
    expect(isAccepted(packet)).toBe(true);
  });

  test("is refused where it is cut, whether or not its header owns to it", () => {
    // An error may quote eight bytes of the probe and no more.
    const least = !name.includes("error") ? packet.length : isIpv4 ? 20 + 8 + 28 : 40 + 8 + 48;
    for (let length = 0; length < packet.length; length++) {
      const cut = packet.slice(0, length);
      expect(isAccepted(cut)).toBe(false);
      if (length < 6) continue;
      viewOf(cut).setUint16(isIpv4 ? 2 : 4, Math.max(0, length - (isIpv4 ? 0 : 40)));
      expect(isAccepted(cut)).toBe(length >= least);
    }
  });

  test("is refused under another key, and to a port that is not ours", () => {
    const port = V4.sourcePort;
    expect(isAccepted(packet, K0 ^ 1)).toBe(false);
    expect(isAccepted(packet, K0, port, 1)).toBe(true);
    expect(isAccepted(packet, K0, port + 1, PORT_COUNT)).toBe(false);
    expect(isAccepted(packet, K0, port - PORT_COUNT, PORT_COUNT)).toBe(false);
  });

  test("is refused as a later fragment, of another IP version, and from beyond the memory", () => {
    const fragment = packet.slice();
    if (isIpv4) viewOf(fragment).setUint16(6, 1);
    if (isIpv4) expect(isAccepted(fragment)).toBe(false);
    for (let version = 0; version < 16; version++) {
      const other = packet.slice();
      other[0] = (version << 4) | ((packet[0] ?? 0) & 15);
      expect(isAccepted(other)).toBe(version === (isIpv4 ? 4 : 6));
    }
    for (let length = 0; length < packet.length; length++) {
      const view = viewOf(packet.slice(0, length));
      expect(parseReply(view, 0, packet.length, K0, K1, FIRST_PORT, PORT_COUNT, newReply())).toBe(false);
    }
  });

  test("is refused under every other protocol number", () => {
    const place = isIpv4 ? 9 : 6;
    for (let protocol = 0; protocol < 256; protocol++) {
      // UDP promises less: a datagram of an unknown service is an answer whatever is in it.
      if (protocol === packet[place] || protocol === 17) continue;
      const other = packet.slice();
      other[place] = protocol;
      expect(isAccepted(other)).toBe(false);
    }
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** The bytes that tell whose answer it is: addresses, ports, and where the cookie is. */
function identifyingBytes(name: string, isIpv4: boolean): readonly number[] {
  const header = isIpv4 ? 20 : 40;
  const source = isIpv4 ? range(12, 16) : range(8, 24);
  const destination = isIpv4 ? range(16, 20) : range(24, 40);
  const isError = name.includes("error");
  const packet = isError ? header + 8 : 0;
  const at = packet + header;
  const quotedAddresses = [...source, ...destination].map((place) => packet + place);
  const addresses = isError ? [...destination, ...quotedAddresses] : [...source, ...destination];
  if (name.includes("echo")) return [...addresses, ...range(at + 4, at + 12)];
  const ports = [...addresses, ...range(at, at + 4)];
  // Identification or flow label.
  if (name.includes("datagram")) return [...ports, packet + (isIpv4 ? 4 : 2), packet + (isIpv4 ? 5 : 3)];
  const isSequence = isError || name.includes("RST of an ACK");
  return [...ports, ...(isSequence ? range(at + 4, at + 8) : range(at + 8, at + 12))];
}

test.each(ANSWERS)("%s: one wrong bit in addresses, ports or cookie is noticed", (name, packet) => {
  for (const place of identifyingBytes(name, name.startsWith("IPv4"))) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = packet.slice();
      flipped[place] = (flipped[place] ?? 0) ^ (1 << bit);
      if (isAccepted(flipped)) throw new Error(`bit ${bit} of byte ${place} was not looked at`);
    }
  }
});

test("forged cookies are refused, whatever the kind of probe", () => {
  const delta = fc.integer({ min: 1, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(probe(), delta, (probe, delta) => {
      const forged = (cookieOf(probe, K0, K1) + delta) | 0;
      expect(isAccepted(tcpAnswer(probe, SYN | ACK, forged, forged + 1))).toBe(false);
      expect(isAccepted(tcpAnswer(probe, RST | ACK, forged, forged + 1))).toBe(false);
      expect(isAccepted(tcpAnswer(probe, RST, forged, forged + 1))).toBe(false);
      expect(isAccepted(echoAnswer({ ...probe, targetPort: 0 }, forged))).toBe(false);
    }),
  );
});

test("flags that answer nothing: a bare SYN, ACK, data, or contradictions", () => {
  for (const probe of [V4, V6]) {
    const cookie = cookieOf(probe, K0, K1);
    for (const flags of [0, SYN, ACK, FIN | ACK, SYN | RST, SYN | RST | ACK]) {
      expect(isAccepted(tcpAnswer(probe, flags, cookie, cookie + 1))).toBe(false);
    }
  }
});

test("datagrams whose length passes the packet or is less than a header", () => {
  for (const probe of [V4, V6]) {
    const packet = udpAnswer({ ...probe, targetPort: 9 }, Uint8Array.from([1, 2, 3]));
    const place = packet.length - 11 + 4;
    for (const [length, accepted] of [
      [11, true],
      [8, true],
      [7, false],
      [0, false],
      [12, false],
      [65_535, false],
    ] as const) {
      viewOf(packet).setUint16(place, length);
      expect(isAccepted(packet)).toBe(accepted);
    }
  }
});

test("ICMP of one family in a packet of the other, and errors that quote a packet of the other", () => {
  const echo4: Probe = { ...V4, kind: ICMP_ECHO, targetPort: 0 };
  const echo6: Probe = { ...V6, kind: ICMP_ECHO, targetPort: 0 };
  const other4 = echoAnswer(echo4, cookieOf(echo4, K0, K1));
  other4[9] = 58;
  other4[20] = 129;
  const other6 = echoAnswer(echo6, cookieOf(echo6, K0, K1));
  other6[6] = 1;
  other6[40] = 0;
  expect(isAccepted(other4)).toBe(false);
  expect(isAccepted(other6)).toBe(false);
  expect(isAccepted(icmpError(V4, ROUTER, 3, 1, probePacket(V6, K0, K1)))).toBe(false);
  // Where the addresses begin alike.
  const alike: Probe = { ...V6, source: [V4.source[3], 0, 0, 0] };
  expect(isAccepted(icmpError(alike, V6.target, 1, 1, probePacket(V4, K0, K1)))).toBe(false);
});

test("echo replies with a code", () => {
  for (const probe of [V4, V6]) {
    const echo: Probe = { ...probe, kind: ICMP_ECHO, targetPort: 0 };
    const packet = echoAnswer(echo, cookieOf(echo, K0, K1));
    packet[packet.length - 11] = 1;
    expect(isAccepted(packet)).toBe(false);
  }
});

test("errors of other types, among them redirects and packet-too-big, and those sent to somebody else", () => {
  for (const [probe, known] of [
    [V4, [3, 11, 12]],
    [V6, [1, 3, 4]],
  ] as const) {
    for (let type = 0; type < 256; type++) {
      const error = icmpError(probe, probe.target, type, 0, probePacket(probe, K0, K1));
      expect(isAccepted(error)).toBe(known.some((one) => one === type));
    }
    const [w0, w1, w2, w3] = probe.source;
    const elsewhere = { ...probe, source: [w0, w1, w2, w3 ^ 1] as const };
    expect(isAccepted(icmpError(elsewhere, probe.target, known[0], 0, probePacket(probe, K0, K1)))).toBe(
      false,
    );
  }
});

describe("IPv6 extension headers", () => {
  const segment = tcpSegment(V6.targetPort, V6.sourcePort, 0, cookieOf(V6, K0, K1) + 1, SYN | ACK);
  const answer = (options: PacketOptions): Uint8Array =>
    ipPacket(6, V6.target, V6.source, 6, segment, options);
  const plain = (): Uint8Array => new Uint8Array(8);
  const accepts = (...types: readonly number[]): boolean =>
    isAccepted(answer({ extensions: types.map((type) => [type, plain()] as const) }));

  test("are walked, five at most, hop-by-hop options only at the front", () => {
    expect(accepts(0, 60, 43, 44, 60)).toBe(true);
    expect(accepts(60, 60, 60, 60, 60, 60)).toBe(false);
    expect(accepts(60, 0)).toBe(false);
  });

  test("that are unknown, authenticated, encrypted or final are refused", () => {
    for (const type of [50, 51, 59, 135, 139, 140, 253]) expect(accepts(type)).toBe(false);
  });

  test("that pass the packet's end are refused", () => {
    for (const type of [0, 43, 60]) {
      for (const lengthByte of [3, 4, 255]) {
        const extension = Uint8Array.from([0, lengthByte, 0, 0, 0, 0, 0, 0]);
        expect(isAccepted(answer({ extensions: [[type, extension]] }))).toBe(false);
      }
    }
  });

  test("a later fragment is refused; the first one's offset is zero whatever its last three bits say", () => {
    for (const [offset, accepted] of [
      [0, true],
      [1, true],
      [6, true],
      [8, false],
      [0xfff8, false],
    ] as const) {
      const fragment = Uint8Array.from([0, 0, offset >>> 8, offset & 0xff, 0, 0, 0, 7]);
      expect(isAccepted(answer({ extensions: [[44, fragment]] }))).toBe(accepted);
    }
  });
});
