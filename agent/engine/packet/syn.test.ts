/** Probes as a receiver reads them: fields at their RFC places, checksums that a plain implementation agrees with. */

import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { probeCookie } from "./cookie.ts";
import { buildSynTemplate, patchSyn, SYN_PACKET_BYTES } from "./syn.ts";

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const port = fc.integer({ min: 0, max: 65_535 });
const probe = fc.record({
  k0: int32,
  k1: int32,
  source: uint32,
  target: uint32,
  sourcePort: port,
  targetPort: port,
});
type Probe = typeof probe extends fc.Arbitrary<infer T> ? T : never;

const template = buildSynTemplate();

function writeProbe(bytes: Uint8Array, at: number, p: Probe): void {
  const view = new DataView(bytes.buffer);
  const { ipSum, tcpSum } = template;
  patchSyn(view, at, ipSum, tcpSum, p.k0, p.k1, p.source, p.target, p.sourcePort, p.targetPort);
}

function packetOf(p: Probe): Uint8Array {
  const packet = template.packet.slice();
  writeProbe(packet, 0, p);
  return packet;
}

/** A checksummed block is right when all its words, the checksum included, add up to zero (RFC 1071). */
function addsUp(bytes: readonly number[]): boolean {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum % 0x1_0000) + Math.floor(sum / 0x1_0000);
  return sum === 0xffff;
}

test("both checksums are right for every probe", () => {
  fc.assert(
    fc.property(probe, (p) => {
      const packet = [...packetOf(p)];
      const [header, segment] = [packet.slice(0, 20), packet.slice(20)];
      // The pseudo-header of RFC 9293 §3.1: addresses, zero, protocol, length.
      const pseudoHeader = [...packet.slice(12, 20), 0, 6, 0, segment.length];
      expect(addsUp(header)).toBe(true);
      expect(addsUp([...pseudoHeader, ...segment])).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test("fields stand where RFC 791 and RFC 9293 put them", () => {
  fc.assert(
    fc.property(probe, (p) => {
      const packet = packetOf(p);
      const view = new DataView(packet.buffer);
      expect(packet.length).toBe(SYN_PACKET_BYTES);
      expect({
        versionAndLength: view.getUint8(0),
        totalLength: view.getUint16(2),
        fragment: view.getUint16(6),
        ttl: view.getUint8(8),
        protocol: view.getUint8(9),
        source: view.getUint32(12),
        target: view.getUint32(16),
        sourcePort: view.getUint16(20),
        targetPort: view.getUint16(22),
        sequence: view.getInt32(24),
        acknowledgement: view.getUint32(28),
        dataOffset: view.getUint8(32) >>> 4,
        flags: view.getUint8(33),
        urgent: view.getUint16(38),
        mssOption: [...packet.subarray(40, 44)],
      }).toEqual({
        versionAndLength: 0x45,
        totalLength: 44,
        fragment: 0x4000,
        ttl: 64,
        protocol: 6,
        source: p.source,
        target: p.target,
        sourcePort: p.sourcePort,
        targetPort: p.targetPort,
        sequence: probeCookie(p.k0, p.k1, p.target, p.source, (p.targetPort << 16) | p.sourcePort),
        acknowledgement: 0,
        dataOffset: 6,
        flags: 0x02,
        urgent: 0,
        mssOption: [2, 4, 1_460 >>> 8, 1_460 & 255],
      });
    }),
  );
});

test("a slot used again holds only the new probe, and its neighbours are left alone", () => {
  fc.assert(
    fc.property(probe, probe, fc.integer({ min: 0, max: 20 }), (first, second, at) => {
      const memory = new Uint8Array(at + SYN_PACKET_BYTES + 20).fill(0xaa);
      memory.set(template.packet, at);
      writeProbe(memory, at, first);
      writeProbe(memory, at, second);
      const expected = new Uint8Array(memory.length).fill(0xaa);
      expected.set(packetOf(second), at);
      expect(memory).toEqual(expected);
    }),
  );
});
