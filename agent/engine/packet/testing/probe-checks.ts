/** What the tests of all kinds of probes share: probes to draw, and what a receiver checks of every packet. */

import { expect } from "bun:test";
import * as fc from "fast-check";
import { probeCookie, probeCookie6 } from "../cookie.ts";
import type { PacketTemplate } from "../template.ts";

export const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const port = fc.integer({ min: 0, max: 65_535 });
const address = fc.tuple(int32, int32, int32, int32);
export const probe = fc.record({
  k0: int32,
  k1: int32,
  source: address,
  target: address,
  sourcePort: port,
  port,
});
export type Probe = typeof probe extends fc.Arbitrary<infer T> ? T : never;

/** Something that writes one probe into a packet that holds the template. */
export type Patch = (view: DataView, at: number, template: PacketTemplate, probe: Probe) => void;

export function packetOf(template: PacketTemplate, patch: Patch, p: Probe): Uint8Array {
  const packet = template.packet.slice();
  patch(new DataView(packet.buffer), 0, template, p);
  return packet;
}

export const cookie4 = ({ k0, k1, source, target }: Probe, ports: number): number =>
  probeCookie(k0, k1, target[3], source[3], ports);
export const cookie6 = ({ k0, k1, source, target }: Probe, ports: number): number =>
  probeCookie6(k0, k1, ...target, ...source, ports);
export const portsOf = (p: Probe): number => (p.port << 16) | p.sourcePort;

/** A checksummed block is right when all its words, the checksum included, add up to zero (RFC 1071). */
function addsUp(bytes: readonly number[]): boolean {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum % 0x1_0000) + Math.floor(sum / 0x1_0000);
  return sum === 0xffff;
}

/** Checks all checksums of an IPv4 packet, and what every one of ours has in its header. */
export function expectSoundIpv4(packet: Uint8Array, p: Probe, protocol: number, cookie: number): void {
  const bytes = [...packet];
  const view = new DataView(packet.buffer);
  const [header, transport] = [bytes.slice(0, 20), bytes.slice(20)];
  const pseudoHeader = [...bytes.slice(12, 20), 0, protocol, transport.length >> 8, transport.length & 255];
  expect(addsUp(header)).toBe(true);
  // ICMP has no pseudo-header over IPv4 (RFC 792).
  expect(addsUp(protocol === 1 ? transport : [...pseudoHeader, ...transport])).toBe(true);
  expect({
    versionAndLength: view.getUint8(0),
    totalLength: view.getUint16(2),
    identification: view.getUint16(4),
    fragment: view.getUint16(6),
    ttl: view.getUint8(8),
    protocol: view.getUint8(9),
    source: view.getInt32(12),
    target: view.getInt32(16),
  }).toEqual({
    versionAndLength: 0x45,
    totalLength: packet.length,
    identification: cookie & 0xffff || 1,
    fragment: 0x4000,
    ttl: 64,
    protocol,
    source: p.source[3],
    target: p.target[3],
  });
}

/** The same over IPv6 (RFC 8200, 8.1). */
export function expectSoundIpv6(packet: Uint8Array, p: Probe, protocol: number, flowLabel: number): void {
  const bytes = [...packet];
  const view = new DataView(packet.buffer);
  const transport = bytes.slice(40);
  const length = [0, 0, transport.length >> 8, transport.length & 255];
  expect(addsUp([...bytes.slice(8, 40), ...length, 0, 0, 0, protocol, ...transport])).toBe(true);
  const words = (at: number): number[] => [0, 4, 8, 12].map((offset) => view.getInt32(at + offset));
  expect({
    first: view.getUint32(0),
    payloadLength: view.getUint16(4),
    nextHeader: view.getUint8(6),
    hopLimit: view.getUint8(7),
    source: words(8),
    target: words(24),
  }).toEqual({
    first: 0x6000_0000 + flowLabel,
    payloadLength: transport.length,
    nextHeader: protocol,
    hopLimit: 64,
    source: [...p.source],
    target: [...p.target],
  });
}

export const RUNS = { numRuns: 500 };
