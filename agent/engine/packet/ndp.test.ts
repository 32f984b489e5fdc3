/** Neighbour discovery: the solicitation as it goes out, and which advertisements are believed. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { parseIpv6 } from "#shared/net/ipv6.ts";
import { type AddressWords, wordsOfIpv6 } from "../targets/address-words.ts";
import {
  buildNeighbourSolicitation,
  NEIGHBOUR_SOLICITATION_BYTES,
  parseNeighbourAdvertisement,
  solicit,
} from "./ndp.ts";

const OUR_MAC = Uint8Array.of(0x02, 0x00, 0x5e, 0x10, 0x20, 0x30);
const THEIR_MAC = Uint8Array.of(0x02, 0x00, 0x5e, 0xaa, 0xbb, 0xcc);
const US = words("fe80::1");
const THEM = words("2001:db8::1234:5678");
const HEADER = 40;

function words(address: string): AddressWords {
  return wordsOfIpv6(parseIpv6(address) ?? 0n);
}

/** The checksum by the letter of RFC 1071 and RFC 8200, over a copy: slow, and not the code under test. */
function checksum(packet: Uint8Array): number {
  const bytes = [...packet.subarray(8, 40), 0, 0, 0, packet.length - HEADER, 0, 0, 0, 58];
  bytes.push(...packet.subarray(HEADER));
  if (bytes.length % 2 === 1) bytes.push(0);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return ~sum & 0xffff;
}

function putWords(view: DataView, at: number, address: AddressWords): void {
  address.forEach((word, i) => view.setInt32(at + i * 4, word));
}

interface Advertised {
  readonly target: AddressWords;
  readonly mac: Uint8Array;
  /** Options before the one with the MAC. */
  readonly before?: readonly number[];
}

/** A solicited advertisement as RFC 4861, 4.4 lays it out, without its Ethernet header. */
function advertisement({ target, mac, before = [] }: Advertised): Uint8Array {
  const packet = new Uint8Array(HEADER + 24 + before.length + 8);
  const view = new DataView(packet.buffer);
  view.setUint32(0, 0x6000_0000);
  view.setUint16(4, packet.length - HEADER);
  view.setUint8(6, 58);
  view.setUint8(7, 255);
  putWords(view, 8, target);
  putWords(view, 24, US);
  view.setUint8(HEADER, 136);
  view.setUint8(HEADER + 4, 0x60);
  putWords(view, HEADER + 8, target);
  packet.set(before, HEADER + 24);
  packet.set([2, 1, ...mac], HEADER + 24 + before.length);
  return sealed(packet);
}

function sealed(packet: Uint8Array): Uint8Array {
  const view = new DataView(packet.buffer);
  view.setUint16(HEADER + 2, 0);
  view.setUint16(HEADER + 2, checksum(packet));
  return packet;
}

function parse(packet: Uint8Array, length = packet.length): ReturnType<typeof parseNeighbourAdvertisement> {
  return parseNeighbourAdvertisement(packet, new DataView(packet.buffer), length);
}

describe("solicit", () => {
  const frame = buildNeighbourSolicitation(OUR_MAC, US);
  solicit(frame, new DataView(frame.buffer), THEM);

  test("goes to the solicited-node group of the target, in Ethernet and in IPv6", () => {
    expect(frame.length).toBe(NEIGHBOUR_SOLICITATION_BYTES);
    // The next test looks at the checksum.
    const unsealed = frame.slice();
    new DataView(unsealed.buffer).setUint16(14 + HEADER + 2, 0);
    expect(unsealed.toHex()).toBe(
      ["3333ff345678", "02005e102030", "86dd"].join("") +
        ["60000000", "0020", "3a", "ff"].join("") +
        ["fe800000000000000000000000000001", "ff0200000000000000000001ff345678"].join("") +
        ["87", "00", "0000", "00000000"].join("") +
        ["20010db8000000000000000012345678", "01", "01", "02005e102030"].join(""),
    );
  });

  test("patches one frame for any targets in turn, each with a right checksum", () => {
    const view = new DataView(frame.buffer);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (address) => {
        solicit(frame, view, wordsOfIpv6(address));
        const packet = frame.slice(14);
        const sent = view.getUint16(14 + HEADER + 2);
        new DataView(packet.buffer).setUint16(HEADER + 2, 0);
        expect(sent).toBe(checksum(packet));
        expect(packet.subarray(HEADER + 8, HEADER + 24).toHex()).toBe(address.toString(16).padStart(32, "0"));
      }),
    );
  });
});

describe("parseNeighbourAdvertisement", () => {
  const answer = { target: THEM, macHigh: 0x0200, macLow: 0x5eaa_bbcc };

  test("gives the target and its MAC, whatever options come before", () => {
    expect(parse(advertisement({ target: THEM, mac: THEIR_MAC }))).toEqual(answer);
    const before = [14, 1, 1, 2, 3, 4, 5, 6, 3, 2, ...Array.from({ length: 14 }, () => 0)];
    expect(parse(advertisement({ target: THEM, mac: THEIR_MAC, before }))).toEqual(answer);
  });

  test("refuses a packet in which any single bit differs, but for traffic class and flow label", () => {
    const packet = advertisement({ target: THEM, mac: THEIR_MAC });
    for (let bit = 0; bit < packet.length * 8; bit++) {
      // 4 bits of version, then 28 bits that say nothing about the answer.
      if (bit >= 4 && bit < 32) continue;
      const changed = packet.slice();
      changed[bit >>> 3] = (changed[bit >>> 3] ?? 0) ^ (0x80 >>> (bit & 7));
      expect(parse(changed)).toBeUndefined();
    }
  });

  test.each([
    ["that went through a router", (bytes: Uint8Array) => bytes.fill(254, 7, 8)],
    ["that nobody asked for", (bytes: Uint8Array) => bytes.fill(0x20, HEADER + 4, HEADER + 5)],
    ["that is a solicitation", (bytes: Uint8Array) => bytes.fill(135, HEADER, HEADER + 1)],
    ["with a code", (bytes: Uint8Array) => bytes.fill(1, HEADER + 1, HEADER + 2)],
    ["with an option of no length", (bytes: Uint8Array) => bytes.fill(0, HEADER + 25, HEADER + 26)],
    [
      "with an option that goes beyond its end",
      (bytes: Uint8Array) => bytes.fill(2, HEADER + 25, HEADER + 26),
    ],
    ["without the target's MAC", (bytes: Uint8Array) => bytes.fill(1, HEADER + 24, HEADER + 25)],
    ["with a group address", (bytes: Uint8Array) => bytes.fill(3, HEADER + 26, HEADER + 27)],
    ["with an address of zeros", (bytes: Uint8Array) => bytes.fill(0, HEADER + 26, HEADER + 32)],
  ])("refuses one %s, though its checksum is right", (_, change) => {
    const packet = advertisement({ target: THEM, mac: THEIR_MAC });
    change(packet);
    expect(parse(sealed(packet))).toBeUndefined();
  });

  test("reads nothing beyond what was received", () => {
    const whole = advertisement({ target: THEM, mac: THEIR_MAC });
    for (let length = 0; length < whole.length; length++) {
      expect(parse(whole.slice(0, length))).toBeUndefined();
    }
  });

  test("takes any bytes without throwing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => {
        expect(parse(bytes.slice())).toBeUndefined();
      }),
    );
  });
});
