/** Echo requests as a receiver reads them. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { buildEchoTemplate, patchEcho4, patchEcho6 } from "./echo.ts";
import {
  cookie4,
  cookie6,
  expectSoundIpv4,
  expectSoundIpv6,
  packetOf,
  type Patch,
  probe,
  type Probe,
  RUNS,
} from "./testing/probe-checks.ts";

const patchPing4: Patch = (view, at, { ipSum, transportSum }, { k0, k1, source, target, sourcePort }) =>
  patchEcho4(view, at, ipSum, transportSum, k0, k1, source[3], target[3], sourcePort);

const patchPing6: Patch = (view, at, { transportSum }, { k0, k1, source, target, sourcePort }) =>
  patchEcho6(view, at, transportSum, k0, k1, ...source, ...target, sourcePort);

function echoFields(packet: Uint8Array, at: number): object {
  const view = new DataView(packet.buffer);
  return {
    type: view.getUint8(at),
    code: view.getUint8(at + 1),
    identifier: view.getUint16(at + 4),
    sequence: view.getUint16(at + 6),
    cookie: view.getInt32(at + 8),
    length: packet.length - at,
  };
}

function expectedEcho(p: Probe, type: number, cookie: number): object {
  return { type, code: 0, identifier: p.sourcePort, sequence: cookie & 0xffff, cookie, length: 12 };
}

describe("ICMP echo", () => {
  test("over IPv4", () => {
    const template = buildEchoTemplate(4);
    fc.assert(
      fc.property(probe, (p) => {
        const packet = packetOf(template, patchPing4, p);
        const cookie = cookie4(p, p.sourcePort);
        expectSoundIpv4(packet, p, 1, cookie);
        expect(echoFields(packet, 20)).toEqual(expectedEcho(p, 8, cookie));
      }),
      RUNS,
    );
  });

  test("over IPv6", () => {
    const template = buildEchoTemplate(6);
    fc.assert(
      fc.property(probe, (p) => {
        const packet = packetOf(template, patchPing6, p);
        expectSoundIpv6(packet, p, 58, 0);
        expect(echoFields(packet, 40)).toEqual(expectedEcho(p, 128, cookie6(p, p.sourcePort)));
      }),
      RUNS,
    );
  });
});
