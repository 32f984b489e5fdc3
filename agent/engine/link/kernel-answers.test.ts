/**
 * What Linux itself answers to our probes, over loopback, through ring, filter and parser: every kind, both families.
 * Needs CAP_NET_RAW.
 */

import { afterEach, describe, expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { AF_INET, AF_INET6, IPPROTO_RAW, SOCK_CLOEXEC, SOCK_RAW } from "../../ffi/constants.ts";
import { checked, libc } from "../../ffi/libc.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import { ICMP_ECHO, TCP_ACK, TCP_SYN, UDP } from "../packet/probe-kind.ts";
import { REASON_NAMES } from "../packet/reason.ts";
import { newReply } from "../packet/reply-fields.ts";
import { parseReply } from "../packet/reply.ts";
import { type Probe, probePacket, viewOf } from "../packet/testing/packets.ts";
import type { AddressFamily, AddressWords } from "../targets/address-words.ts";
import { ReceiveRing } from "./receive-ring.ts";
import {
  SOCKADDR_IN6_BYTES,
  SOCKADDR_IN_BYTES,
  writeSockaddrIn,
  writeSockaddrIn6,
} from "./socket-address.ts";
import { reserveSourcePorts } from "./source-ports.ts";

const K0 = 7;
const K1 = 8;
const PATIENCE_MS = 5_000;
const LOOPBACK: Readonly<Record<AddressFamily, AddressWords>> = {
  4: [0, 0, 0, 0x7f00_0001],
  6: [0, 0, 0, 1],
};
const HOSTS = { 4: "127.0.0.1", 6: "::1" } as const;

let release: (() => void)[] = [];
afterEach(() => {
  release.forEach((free) => free());
  release = [];
});

/** Fills in the checksums that a real host looks at, by the plain sum of RFC 1071. */
function withChecksums({ family, kind }: Probe, packet: Uint8Array): Uint8Array {
  const header = family === 4 ? 20 : 40;
  const sum = (bytes: Uint8Array): number => {
    let total = 0;
    bytes.forEach((byte, i) => (total += i % 2 === 0 ? byte * 256 : byte));
    while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
    return total;
  };
  const transport = packet.subarray(header);
  const addresses = packet.subarray(family === 4 ? 12 : 8, header);
  const protocol = packet[family === 4 ? 9 : 6] ?? 0;
  const pseudo = kind === ICMP_ECHO && family === 4 ? 0 : sum(addresses) + protocol + transport.length;
  const place = kind === UDP ? 6 : kind === ICMP_ECHO ? 2 : 16;
  const total = sum(transport) + pseudo;
  viewOf(transport).setUint16(place, ~((total & 0xffff) + (total >>> 16)) & 0xffff);
  return packet;
}

/** Sends an IP packet to this host. The kernel fills in an IPv4 header's checksum. */
function sendRaw(family: AddressFamily, packet: Uint8Array): void {
  const fd = checked(
    libc.socket(family === 4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW),
    "socket",
    "opening a raw socket",
  );
  const memory = new PinnedMemory(packet.length);
  memory.bytes.set(packet);
  const name = new PinnedMemory(family === 4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES);
  if (family === 4) writeSockaddrIn(name.view, 0, LOOPBACK[4][3] >>> 0, 0);
  else writeSockaddrIn6(name.view, 0, viewOf(packet), 24);
  const sent = libc.sendto(fd, memory.address, packet.length, 0, name.address, name.bytes.length);
  libc.close(fd);
  checked(sent, "sendto", "sending a probe");
}

async function udpService(family: AddressFamily): Promise<number> {
  const service = createSocket(family === 4 ? "udp4" : "udp6");
  service.on("message", (data, { port, address }) => service.send(data, port, address));
  // The prober's port has no socket behind it, so the kernel complains of the answers.
  service.on("error", () => undefined);
  await new Promise<void>((resolve) => service.bind(0, HOSTS[family], resolve));
  release.push(() => service.close());
  return service.address().port;
}

/** A port that was free a moment ago. */
async function freePort(family: AddressFamily): Promise<number> {
  const probe = createSocket(family === 4 ? "udp4" : "udp6");
  await new Promise<void>((resolve) => probe.bind(0, HOSTS[family], resolve));
  const { port } = probe.address();
  await new Promise<void>((resolve) => probe.close(resolve));
  return port;
}

interface Answer {
  readonly kind: number;
  readonly port: number;
  readonly reason: string;
}

/** The answer to one probe. The event loop turns meanwhile, so that services of this process can answer. */
async function ask(ring: ReceiveRing, probe: Probe): Promise<Answer> {
  sendRaw(probe.family, withChecksums(probe, probePacket(probe, K0, K1)));
  const reply = newReply();
  const untilMs = performance.now() + PATIENCE_MS;
  for (let found = false; performance.now() < untilMs;) {
    await Bun.sleep(1);
    ring.receive(10, (view, at, length) => {
      found ||= parseReply(view, at, length, K0, K1, probe.sourcePort, 1, reply);
    });
    if (!found) continue;
    const { t0, t1, t2, t3, kind, targetPort, reason } = reply;
    expect([t0, t1, t2, t3]).toEqual([...probe.target]);
    return { kind, port: targetPort, reason: REASON_NAMES[reason] ?? "" };
  }
  throw new Error("no answer came");
}

describe.each([4, 6] as const)("over IPv%d this host", (family) => {
  function prepare(): { ring: ReceiveRing; probe(kind: number, targetPort: number): Probe } {
    const ports = reserveSourcePorts(1, [family], undefined, Math.random);
    const ring = new ReceiveRing([family], ports.first, 1);
    release.push(
      () => ports.release(),
      () => ring.close(),
    );
    const self = LOOPBACK[family];
    return {
      ring,
      probe: (kind, targetPort) => ({
        family,
        kind,
        source: self,
        target: self,
        sourcePort: ports.first,
        targetPort,
      }),
    };
  }

  test("answers a SYN to an open port with a SYN-ACK, to a closed one with a RST", async () => {
    const { ring, probe } = prepare();
    const server = Bun.listen({ hostname: HOSTS[family], port: 0, socket: { data: () => undefined } });
    release.push(() => server.stop(true));
    const { port } = server;
    expect(await ask(ring, probe(TCP_SYN, port))).toEqual({ kind: TCP_SYN, port, reason: "syn-ack" });
    const closed = await freePort(family);
    expect(await ask(ring, probe(TCP_SYN, closed))).toEqual({ kind: TCP_SYN, port: closed, reason: "reset" });
  });

  test("answers an ACK with a RST", async () => {
    const { ring, probe } = prepare();
    const port = await freePort(family);
    expect(await ask(ring, probe(TCP_ACK, port))).toEqual({ kind: TCP_ACK, port, reason: "reset" });
  });

  test("answers a datagram to a service, and says that a port without one is unreachable", async () => {
    const { ring, probe } = prepare();
    const port = await udpService(family);
    expect(await ask(ring, probe(UDP, port))).toEqual({ kind: UDP, port, reason: "udp-response" });
    const closed = await freePort(family);
    const answer = await ask(ring, probe(UDP, closed));
    expect(answer).toEqual({ kind: UDP, port: closed, reason: "port-unreachable" });
  });

  test("answers an echo request", async () => {
    const { ring, probe } = prepare();
    expect(await ask(ring, probe(ICMP_ECHO, 0))).toEqual({ kind: ICMP_ECHO, port: 0, reason: "echo-reply" });
  });
});
