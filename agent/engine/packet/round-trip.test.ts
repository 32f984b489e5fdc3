/** Probes as they are really sent, and what comes back of them: sender and receiver agree on where the cookie is. */

import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { buildEchoTemplate, patchEcho4, patchEcho6 } from "./echo.ts";
import { payload, payloadCount } from "./payloads.ts";
import { ICMP_ECHO, TCP_ACK, TCP_SYN, UDP } from "./probe-kind.ts";
import { newReply, type Reply } from "./reply-fields.ts";
import { parseReply } from "./reply.ts";
import { buildTcpTemplate, newSynBatch, patchAck4, patchSyns4, patchTcp6 } from "./tcp.ts";
import { FIRST_PORT, PORT_COUNT, probe } from "./testing/arbitraries.ts";
import {
  ACK,
  icmpError,
  ipPacket,
  type Probe,
  RST,
  SYN,
  tcpAnswer,
  udpAnswer,
  viewOf,
} from "./testing/packets.ts";
import { buildUdpTemplate, patchUdp4, patchUdp6 } from "./udp.ts";

const K0 = 0x1234_5678;
const K1 = 0x0fed_cba9;

/** The probe as the sender builds it. */
function build(
  { family, kind, source, target, sourcePort, targetPort }: Probe,
  payloadNumber = 0,
): Uint8Array {
  const isIpv4 = family === 4;
  const [s4, t4] = [source[3], target[3]];
  if (kind === UDP) {
    const content = payload(payloadNumber);
    const { packet, ipSum, transportSum } = buildUdpTemplate(family, content);
    const { cookieAt, cookieBytes } = content;
    const last = [sourcePort, targetPort, cookieAt, cookieBytes] as const;
    const view = viewOf(packet);
    if (isIpv4) patchUdp4(view, 0, ipSum, transportSum, K0, K1, s4, t4, ...last);
    else patchUdp6(view, 0, transportSum, K0, K1, ...source, ...target, ...last);
    return packet;
  }
  if (kind === ICMP_ECHO) {
    const { packet, ipSum, transportSum } = buildEchoTemplate(family);
    if (isIpv4) patchEcho4(viewOf(packet), 0, ipSum, transportSum, K0, K1, s4, t4, sourcePort);
    else patchEcho6(viewOf(packet), 0, transportSum, K0, K1, ...source, ...target, sourcePort);
    return packet;
  }
  const { packet, ipSum, transportSum } = buildTcpTemplate(family, kind);
  const view = viewOf(packet);
  if (!isIpv4) {
    const acknowledges = kind === TCP_ACK ? -1 : 0;
    patchTcp6(view, 0, transportSum, K0, K1, ...source, ...target, sourcePort, targetPort, acknowledges);
  } else if (kind === TCP_ACK) {
    patchAck4(view, 0, ipSum, transportSum, K0, K1, s4, t4, sourcePort, targetPort);
  } else {
    const { places, targets, portPairs, cookies } = newSynBatch(1);
    targets[0] = t4;
    portPairs[0] = (targetPort << 16) | sourcePort;
    patchSyns4(view, 1, places, s4, targets, portPairs, cookies, ipSum, transportSum, K0, K1);
  }
  return packet;
}

function expectKnown(answer: Uint8Array, { family, kind, target, sourcePort, targetPort }: Probe): void {
  const reply: Reply = newReply();
  expect(parseReply(viewOf(answer), 0, answer.length, K0, K1, FIRST_PORT, PORT_COUNT, reply)).toBe(true);
  const [t0, t1, t2, t3] = target;
  expect(reply).toMatchObject({ family, kind, t0, t1, t2, t3, targetPort, ourPort: sourcePort });
}

test("an ICMP error that quotes a probe names it", () => {
  fc.assert(
    fc.property(probe(), fc.nat(payloadCount() - 1), (probe, payloadNumber) => {
      const quotation = build(probe, payloadNumber);
      expectKnown(icmpError(probe, probe.target, probe.family === 4 ? 3 : 1, 1, quotation), probe);
    }),
  );
});

test("a host that follows RFC 9293 answers SYN and ACK in a way that is known", () => {
  fc.assert(
    fc.property(probe(TCP_SYN, TCP_ACK), fc.integer(), (probe, theirs) => {
      const sent = viewOf(build(probe));
      const tcp = probe.family === 4 ? 20 : 40;
      const [sequence, acknowledged] = [sent.getInt32(tcp + 4), sent.getInt32(tcp + 8)];
      if (probe.kind === TCP_ACK) {
        expectKnown(tcpAnswer(probe, RST, acknowledged, 0), probe);
        return;
      }
      expectKnown(tcpAnswer(probe, SYN | ACK, theirs, sequence + 1), probe);
      expectKnown(tcpAnswer(probe, RST | ACK, 0, sequence + 1), probe);
    }),
  );
});

test("an echo comes back with nothing but its type changed", () => {
  fc.assert(
    fc.property(probe(ICMP_ECHO), (probe) => {
      const isIpv4 = probe.family === 4;
      const message = build(probe).slice(isIpv4 ? 20 : 40);
      message[0] = isIpv4 ? 0 : 129;
      expectKnown(ipPacket(probe.family, probe.target, probe.source, isIpv4 ? 1 : 58, message), probe);
    }),
  );
});

/** Protocols that repeat their identifier where it stood in the request. */
const IN_PLACE = [
  "dns-root",
  "echo",
  "ntp-readvar",
  "memcached-version",
  "stun-binding",
  "gtp-echo",
  "ike-v2",
];

test.each(IN_PLACE)("an answer to %s that repeats the request's identifier is known", (name) => {
  const number =
    Array.from({ length: payloadCount() }, (_, i) => i).find((i) => payload(i).name === name) ?? 0;
  const [targetPort = 0] = payload(number).ports;
  fc.assert(
    fc.property(probe(UDP), (drawn) => {
      const probe = { ...drawn, targetPort };
      const data = build(probe, number).slice(probe.family === 4 ? 28 : 48);
      expectKnown(udpAnswer(probe, data), probe);
    }),
  );
});
