/** Answers to our probes are read right. That everything else is refused: see reply-refused.test.ts and reply-fuzz.test.ts. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { AddressWords } from "../targets/address-words.ts";
import { payload, payloadsOfPort } from "./payloads.ts";
import { ICMP_ECHO, TCP_ACK, TCP_SYN, UDP } from "./probe-kind.ts";
import { type ReasonName, reasonCode } from "./reason.ts";
import { newReply, type Reply } from "./reply-fields.ts";
import { parseReply } from "./reply.ts";
import { address, FIRST_PORT, PORT_COUNT, probe } from "./testing/arbitraries.ts";
import {
  ACK,
  concat,
  cookieOf,
  echoAnswer,
  icmpError,
  type PacketOptions,
  type Probe,
  probePacket,
  RST,
  SYN,
  tcpAnswer,
  TTL,
  udpAnswer,
  viewOf,
} from "./testing/packets.ts";

const K0 = 0x1234_5678;
const K1 = 0x0fed_cba9;

/** Reads a packet that fills its memory exactly, so that one byte too far is an exception. */
function parse(bytes: Uint8Array): Reply | undefined {
  const reply = newReply();
  const view = new DataView(bytes.slice().buffer);
  return parseReply(view, 0, bytes.length, K0, K1, FIRST_PORT, PORT_COUNT, reply) ? reply : undefined;
}

function expectAnswer(bytes: Uint8Array, probe: Probe, reason: ReasonName, kind = probe.kind): void {
  const [t0, t1, t2, t3] = probe.target;
  expect(parse(bytes)).toEqual({
    family: probe.family,
    t0,
    t1,
    t2,
    t3,
    kind,
    targetPort: probe.targetPort,
    ourPort: probe.sourcePort,
    reason: reasonCode(reason),
    ttl: TTL,
  });
}

const extension = (bytes: number, ...start: readonly number[]): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => start[i] ?? 0);
/** Hop-by-hop, destination options, routing, and the first of several fragments. */
const EXTENSIONS: readonly (readonly [number, Uint8Array])[] = [
  [0, extension(8, 0, 0, 1, 4)],
  [60, extension(16, 0, 1, 1, 12)],
  [43, extension(24, 0, 2, 4)],
  [44, extension(8, 0, 0, 0, 1)],
];
/** What may stand between the IP header and the answer without changing it. */
const headers: fc.Arbitrary<PacketOptions> = fc.record({
  options: fc.nat(10),
  fragment: fc.constantFrom(0, 0x4000, 0x2000),
  extensions: fc.subarray([...EXTENSIONS]),
});

describe("answers of the target", () => {
  test("a SYN-ACK says open, a RST that acknowledges the SYN closed, whatever headers stand before it", () => {
    fc.assert(
      fc.property(probe(TCP_SYN), headers, fc.integer(), (probe, headers, sequence) => {
        const acknowledged = cookieOf(probe, K0, K1) + 1;
        expectAnswer(tcpAnswer(probe, SYN | ACK, sequence, acknowledged, headers), probe, "syn-ack");
        expectAnswer(tcpAnswer(probe, RST | ACK, 0, acknowledged, headers), probe, "reset");
      }),
    );
  });

  test("a RST without ACK answers an ACK", () => {
    fc.assert(
      fc.property(probe(TCP_ACK), headers, (probe, headers) => {
        expectAnswer(tcpAnswer(probe, RST, cookieOf(probe, K0, K1), 0, headers), probe, "reset");
      }),
    );
  });

  test("ECN, urgent and push bits change nothing", () => {
    fc.assert(
      fc.property(probe(TCP_SYN), fc.constantFrom(0x08, 0x20, 0x40, 0x80, 0xc0), (probe, extra) => {
        const packet = tcpAnswer(probe, SYN | ACK | extra, 0, cookieOf(probe, K0, K1) + 1);
        expectAnswer(packet, probe, "syn-ack");
      }),
    );
  });

  test("a datagram from a port whose service repeats nothing says open", () => {
    const silent = fc
      .nat(65_535)
      .filter((port) => payload(payloadsOfPort(port)[0] ?? 0).answers === undefined);
    fc.assert(
      fc.property(probe(UDP), silent, fc.uint8Array(), headers, (drawn, targetPort, data, headers) => {
        const probe = { ...drawn, targetPort };
        expectAnswer(udpAnswer(probe, data, headers), probe, "udp-response");
      }),
    );
  });

  test("an echo reply says that the host is there, with more data or none behind the cookie", () => {
    fc.assert(
      fc.property(probe(ICMP_ECHO), headers, (probe, headers) => {
        expectAnswer(echoAnswer(probe, cookieOf(probe, K0, K1), headers), probe, "echo-reply");
      }),
    );
  });
});

describe("ICMP errors", () => {
  const UNREACHABLE: readonly (readonly [number, ReasonName])[] = [
    [0, "network-unreachable"],
    [1, "host-unreachable"],
    [2, "protocol-unreachable"],
    [3, "port-unreachable"],
    [4, "icmp-unreachable"],
    [5, "icmp-unreachable"],
    [6, "network-unreachable"],
    [7, "host-unreachable"],
    [8, "icmp-unreachable"],
    [9, "admin-prohibited"],
    [10, "admin-prohibited"],
    [11, "network-unreachable"],
    [12, "host-unreachable"],
    [13, "admin-prohibited"],
    [14, "icmp-unreachable"],
    [15, "icmp-unreachable"],
    [255, "icmp-unreachable"],
  ];
  const UNREACHABLE_V6: readonly (readonly [number, ReasonName])[] = [
    [0, "network-unreachable"],
    [1, "admin-prohibited"],
    [2, "icmp-unreachable"],
    [3, "host-unreachable"],
    [4, "port-unreachable"],
    [5, "admin-prohibited"],
    [6, "admin-prohibited"],
    [7, "icmp-unreachable"],
    [255, "icmp-unreachable"],
  ];
  const SOURCE: AddressWords = [0x2001_0db8, 0, 0, 1];
  const TARGET: AddressWords = [0x2001_0db8, 0, 1, 2];
  const V6: Probe = {
    family: 6,
    kind: TCP_SYN,
    source: SOURCE,
    target: TARGET,
    sourcePort: 61_001,
    targetPort: 443,
  };
  const V4: Probe = { ...V6, family: 4, source: [0, 0, 0, 0x0a00_0001], target: [0, 0, 0, 0x0a08_0105] };

  test.each(UNREACHABLE)("unreachable with code %d says %s", (code, reason) => {
    expectAnswer(icmpError(V4, [0, 0, 0, 0x0a00_00fe], 3, code, probePacket(V4, K0, K1)), V4, reason);
  });

  test.each(UNREACHABLE_V6)("ICMPv6 unreachable with code %d says %s", (code, reason) => {
    expectAnswer(icmpError(V6, [0x2001_0db8, 0, 0, 0xfe], 1, code, probePacket(V6, K0, K1)), V6, reason);
  });

  test("from any router, about any kind of probe, quoting as little or as much as it likes", () => {
    fc.assert(
      fc.property(probe(), address(6), headers, fc.nat(12), (probe, router, headers, more) => {
        const quotation = probePacket(probe, K0, K1).slice(0, (probe.family === 4 ? 28 : 48) + more);
        // The flags of TCP tell the kind of its probe; where they are not quoted it is taken for a SYN.
        const kind = probe.kind === TCP_ACK && more < 6 ? TCP_SYN : probe.kind;
        const isIpv4 = probe.family === 4;
        const from = isIpv4 ? ([0, 0, 0, router[3]] as const) : router;
        const expectReason = (type: number, code: number, reason: ReasonName): void =>
          expectAnswer(icmpError(probe, from, type, code, quotation, headers), probe, reason, kind);
        expectReason(isIpv4 ? 3 : 1, isIpv4 ? 13 : 1, "admin-prohibited");
        expectReason(isIpv4 ? 11 : 3, 0, "time-exceeded");
        expectReason(isIpv4 ? 12 : 4, 0, "parameter-problem");
        if (!isIpv4) expectReason(4, 1, "protocol-unreachable");
      }),
    );
  });

  test("with extensions behind the quotation (RFC 4884), and with a length that the quoting host has altered", () => {
    fc.assert(
      fc.property(probe(TCP_SYN, TCP_ACK, UDP), fc.nat(65_535), (probe, quotedLength) => {
        const quotation = concat(probePacket(probe, K0, K1), new Uint8Array(100));
        viewOf(quotation).setUint16(probe.family === 4 ? 2 : 4, quotedLength);
        const error = icmpError(probe, probe.target, probe.family === 4 ? 3 : 1, 0, quotation);
        expectAnswer(error, probe, "network-unreachable");
      }),
    );
  });

  test("port unreachable: of UDP the target alone can know, of TCP it is the same whoever says so", () => {
    fc.assert(
      fc.property(probe(UDP, TCP_SYN), address(6), (probe, drawn) => {
        const router: AddressWords = probe.family === 4 ? [0, 0, 0, drawn[3]] : drawn;
        fc.pre(router.some((word, i) => word !== probe.target[i]));
        const quotation = probePacket(probe, K0, K1);
        const [type, code] = probe.family === 4 ? [3, 3] : [1, 4];
        expectAnswer(icmpError(probe, probe.target, type, code, quotation), probe, "port-unreachable");
        const hearsay = probe.kind === UDP ? "icmp-unreachable" : "port-unreachable";
        expectAnswer(icmpError(probe, router, type, code, quotation), probe, hearsay);
      }),
    );
  });

  test("about UDP whose cookie ends in sixteen zeros: IPv4 says 1 instead", () => {
    const base: Probe = { ...V4, kind: UDP };
    let found = 0;
    for (let i = 0; i < 500_000 && found < 3; i++) {
      const probe: Probe = { ...base, target: [0, 0, 0, i] };
      if ((cookieOf(probe, K0, K1) & 0xffff) !== 0) continue;
      found++;
      const quotation = probePacket(probe, K0, K1);
      expectAnswer(icmpError(probe, probe.target, 3, 3, quotation), probe, "port-unreachable");
      viewOf(quotation).setUint16(4, 0);
      expect(parse(icmpError(probe, probe.target, 3, 3, quotation))).toBeUndefined();
    }
    expect(found).toBe(3);
  });
});

test("answers are read in place, wherever they lie in the ring", () => {
  fc.assert(
    fc.property(probe(TCP_SYN), fc.nat(40), fc.nat(40), (probe, before, after) => {
      const packet = tcpAnswer(probe, SYN | ACK, 0, cookieOf(probe, K0, K1) + 1);
      const ring = new Uint8Array(before + packet.length + after).fill(0xff);
      ring.set(packet, before);
      const reply = newReply();
      // Links pad short packets; the length that is told counts the padding in.
      const length = packet.length + after;
      expect(parseReply(viewOf(ring), before, length, K0, K1, FIRST_PORT, PORT_COUNT, reply)).toBe(true);
      expect([reply.t0, reply.t1, reply.t2, reply.t3]).toEqual([...probe.target]);
    }),
  );
});
