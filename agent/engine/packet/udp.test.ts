/** UDP probes as a receiver reads them, with any payload and the cookie anywhere in it. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { UdpPayload } from "./payloads.ts";
import {
  cookie4,
  cookie6,
  expectSoundIpv4,
  expectSoundIpv6,
  packetOf,
  type Patch,
  portsOf,
  probe,
  type Probe,
  RUNS,
} from "./testing/probe-checks.ts";
import { buildUdpTemplate, patchUdp4, patchUdp6 } from "./udp.ts";

const content = fc
  .uint8Array({ maxLength: 64 })
  .chain((bytes) =>
    fc.record({
      bytes: fc.constant(bytes),
      cookieBytes: fc.constantFrom(...([0, 2, 4] as const).filter((length) => length <= bytes.length)),
      place: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  )
  .map(({ bytes, cookieBytes, place }): UdpPayload => ({
    name: "any",
    bytes,
    cookieBytes,
    cookieAt: cookieBytes === 0 ? -1 : Math.round(place * (bytes.length - cookieBytes)),
    ports: [],
  }));

function patchDatagram4({ cookieAt, cookieBytes }: UdpPayload): Patch {
  return (view, at, { ipSum, transportSum }, { k0, k1, source, target, sourcePort, port }) =>
    patchUdp4(
      view,
      at,
      ipSum,
      transportSum,
      k0,
      k1,
      source[3],
      target[3],
      sourcePort,
      port,
      cookieAt,
      cookieBytes,
    );
}

function patchDatagram6({ cookieAt, cookieBytes }: UdpPayload): Patch {
  return (view, at, { transportSum }, { k0, k1, source, target, sourcePort, port }) =>
    patchUdp6(view, at, transportSum, k0, k1, ...source, ...target, sourcePort, port, cookieAt, cookieBytes);
}

/** Ports, length, and the payload with the cookie cut out and told apart. */
function udpFields(packet: Uint8Array, at: number, { cookieAt, cookieBytes }: UdpPayload): object {
  const view = new DataView(packet.buffer);
  const place = at + 8 + cookieAt;
  const payload = packet.slice(at + 8);
  if (cookieBytes > 0) payload.fill(0, cookieAt, cookieAt + cookieBytes);
  return {
    sourcePort: view.getUint16(at),
    port: view.getUint16(at + 2),
    length: view.getUint16(at + 4),
    hasChecksum: view.getUint16(at + 6) !== 0,
    cookie: cookieBytes === 4 ? view.getInt32(place) : cookieBytes === 2 ? view.getUint16(place) : 0,
    payload: [...payload],
  };
}

function expectedUdp(p: Probe, { bytes, cookieAt, cookieBytes }: UdpPayload, cookie: number): object {
  const payload = bytes.slice();
  if (cookieBytes > 0) payload.fill(0, cookieAt, cookieAt + cookieBytes);
  return {
    sourcePort: p.sourcePort,
    port: p.port,
    length: 8 + bytes.length,
    hasChecksum: true,
    cookie: cookieBytes === 4 ? cookie : cookieBytes === 2 ? cookie & 0xffff : 0,
    payload: [...payload],
  };
}

describe("UDP", () => {
  test("over IPv4, with the cookie wherever the payload wants it", () => {
    fc.assert(
      fc.property(probe, content, (p, payload) => {
        const packet = packetOf(buildUdpTemplate(4, payload), patchDatagram4(payload), p);
        const cookie = cookie4(p, portsOf(p));
        expectSoundIpv4(packet, p, 17, cookie);
        expect(udpFields(packet, 20, payload)).toEqual(expectedUdp(p, payload, cookie));
      }),
      RUNS,
    );
  });

  test("over IPv6, where the flow label has the cookie's low bits", () => {
    fc.assert(
      fc.property(probe, content, (p, payload) => {
        const packet = packetOf(buildUdpTemplate(6, payload), patchDatagram6(payload), p);
        const cookie = cookie6(p, portsOf(p));
        expectSoundIpv6(packet, p, 17, cookie & 0xf_ffff);
        expect(udpFields(packet, 40, payload)).toEqual(expectedUdp(p, payload, cookie));
      }),
      RUNS,
    );
  });

  test("a checksum that comes out as zero is sent as 0xffff (RFC 768)", () => {
    const empty: UdpPayload = {
      name: "empty",
      bytes: new Uint8Array(0),
      cookieAt: -1,
      cookieBytes: 0,
      ports: [],
    };
    const base = { k0: 1, k1: 2, source: [0, 0, 0, 0], target: [0, 0, 0, 0], sourcePort: 0 } as const;
    const checksumOf = (port: number): number => {
      const packet = packetOf(buildUdpTemplate(4, empty), patchDatagram4(empty), {
        ...base,
        source: [...base.source],
        target: [...base.target],
        port,
      });
      return new DataView(packet.buffer).getUint16(26);
    };
    // Protocol 17 and twice the length 8 are 33; this port brings the sum to 0xffff, whose complement is zero.
    expect(checksumOf(0xffff - 33)).toBe(0xffff);
    expect(checksumOf(0xffff - 34)).toBe(1);
  });
});
