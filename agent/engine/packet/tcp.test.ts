/** TCP probes as a receiver reads them: fields at their RFC places, checksums that a plain sum agrees with. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { TCP_ACK, TCP_SYN } from "./probe-kind.ts";
import { buildTcpTemplate, newSynBatch, patchAck4, patchSyns4, patchTcp6 } from "./tcp.ts";
import {
  cookie4,
  cookie6,
  expectSoundIpv4,
  expectSoundIpv6,
  int32,
  packetOf,
  type Patch,
  portsOf,
  probe,
  type Probe,
  RUNS,
} from "./testing/probe-checks.ts";

const patchSyn4: Patch = (view, at, { ipSum, transportSum }, p) => {
  const batch = newSynBatch(1);
  batch.places[0] = at;
  batch.targets[0] = p.target[3];
  batch.portPairs[0] = (p.port << 16) | p.sourcePort;
  const { places, targets, portPairs, cookies } = batch;
  patchSyns4(view, 1, places, p.source[3], targets, portPairs, cookies, ipSum, transportSum, p.k0, p.k1);
};

const patchAck: Patch = (view, at, { ipSum, transportSum }, { k0, k1, source, target, sourcePort, port }) =>
  patchAck4(view, at, ipSum, transportSum, k0, k1, source[3], target[3], sourcePort, port);

const patchTcpOver6 =
  (acknowledges: number): Patch =>
  (view, at, { transportSum }, { k0, k1, source, target, sourcePort, port }) =>
    patchTcp6(view, at, transportSum, k0, k1, ...source, ...target, sourcePort, port, acknowledges);

function tcpFields(packet: Uint8Array, at: number): object {
  const view = new DataView(packet.buffer);
  return {
    sourcePort: view.getUint16(at),
    port: view.getUint16(at + 2),
    sequence: view.getInt32(at + 4),
    acknowledgement: view.getInt32(at + 8),
    headerBytes: (view.getUint8(at + 12) >>> 4) * 4,
    flags: view.getUint8(at + 13),
    urgent: view.getUint16(at + 18),
    options: [...packet.subarray(at + 20)],
  };
}

function expectedTcp(p: Probe, cookie: number, isSyn: boolean, mss: number): object {
  return {
    sourcePort: p.sourcePort,
    port: p.port,
    sequence: cookie,
    acknowledgement: isSyn ? 0 : cookie,
    headerBytes: isSyn ? 24 : 20,
    flags: isSyn ? 0x02 : 0x10,
    urgent: 0,
    options: isSyn ? [2, 4, mss >>> 8, mss & 255] : [],
  };
}

describe("TCP", () => {
  test.each([
    ["SYN", TCP_SYN, patchSyn4],
    ["ACK", TCP_ACK, patchAck],
  ] as const)("%s over IPv4", (_name, kind, patch) => {
    const template = buildTcpTemplate(4, kind);
    fc.assert(
      fc.property(probe, (p) => {
        const packet = packetOf(template, patch, p);
        const cookie = cookie4(p, portsOf(p));
        expectSoundIpv4(packet, p, 6, cookie);
        expect(tcpFields(packet, 20)).toEqual(expectedTcp(p, cookie, kind === TCP_SYN, 1_460));
      }),
      RUNS,
    );
  });

  test.each([
    ["SYN", TCP_SYN, patchTcpOver6(0)],
    ["ACK", TCP_ACK, patchTcpOver6(-1)],
  ] as const)("%s over IPv6", (_name, kind, patch) => {
    const template = buildTcpTemplate(6, kind);
    fc.assert(
      fc.property(probe, (p) => {
        const packet = packetOf(template, patch, p);
        expectSoundIpv6(packet, p, 6, 0);
        expect(tcpFields(packet, 40)).toEqual(
          expectedTcp(p, cookie6(p, portsOf(p)), kind === TCP_SYN, 1_440),
        );
      }),
      RUNS,
    );
  });

  test("a batch of SYNs is what each would be alone, and their neighbours are left alone", () => {
    const template = buildTcpTemplate(4, TCP_SYN);
    const { packet, ipSum, transportSum } = template;
    const room = packet.length + 3;
    fc.assert(
      fc.property(
        fc.array(probe, { minLength: 1, maxLength: 8 }),
        int32,
        int32,
        int32,
        (probes, ours, k0, k1) => {
          const memory = new Uint8Array(probes.length * room).fill(0xaa);
          const expected = memory.slice();
          const batch = newSynBatch(probes.length);
          probes.forEach((p, i) => {
            memory.set(packet, i * room);
            expected.set(packetOf(template, patchSyn4, { ...p, source: [0, 0, 0, ours], k0, k1 }), i * room);
            batch.places[i] = i * room;
            batch.targets[i] = p.target[3];
            batch.portPairs[i] = portsOf(p);
          });
          const { places, targets, portPairs, cookies } = batch;
          const view = new DataView(memory.buffer);
          // Twice: what a slot held before must not show.
          for (const key of [k1, k0]) {
            patchSyns4(
              view,
              probes.length,
              places,
              ours,
              targets,
              portPairs,
              cookies,
              ipSum,
              transportSum,
              key,
              k1,
            );
          }
          expect(memory).toEqual(expected);
        },
      ),
    );
  });
});
