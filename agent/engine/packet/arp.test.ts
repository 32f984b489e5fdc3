/** ARP: the request as it goes out, and which answers are believed. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { ARP_REQUEST_BYTES, buildArpRequest, parseArpReply, TARGET_AT } from "./arp.ts";

const OUR_MAC = Uint8Array.of(0x02, 0x00, 0x5e, 0x10, 0x20, 0x30);
const REPLY_BYTES = 28;

/** A reply as RFC 826 lays it out, without the Ethernet header. */
function reply(mac: readonly number[], address: number): DataView {
  const view = new DataView(new ArrayBuffer(REPLY_BYTES));
  view.setUint16(0, 1);
  view.setUint16(2, 0x0800);
  view.setUint8(4, 6);
  view.setUint8(5, 4);
  view.setUint16(6, 2);
  mac.forEach((byte, i) => view.setUint8(8 + i, byte));
  view.setUint32(14, address);
  return view;
}

describe("buildArpRequest", () => {
  test("is a broadcast that asks for the address at TARGET_AT", () => {
    const frame = buildArpRequest(OUR_MAC, 0xc0a8_0001);
    new DataView(frame.buffer).setUint32(TARGET_AT, 0xc0a8_0002);
    expect(frame.length).toBe(ARP_REQUEST_BYTES);
    expect(frame.toHex()).toBe(
      ["ffffffffffff", "02005e102030", "0806", "0001", "0800", "06", "04", "0001"].join("") +
        ["02005e102030", "c0a80001", "000000000000", "c0a80002"].join(""),
    );
  });
});

describe("parseArpReply", () => {
  const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  /** Unicast and not all zero. */
  const mac = fc
    .array(fc.nat(255), { minLength: 6, maxLength: 6 })
    .map((bytes) => bytes.with(0, (bytes[0] ?? 0) & 0xfe))
    .filter((bytes) => bytes.some((byte) => byte !== 0));

  test("gives the address and both parts of the MAC", () => {
    fc.assert(
      fc.property(mac, address, (mac, address) => {
        const answer = parseArpReply(reply(mac, address), REPLY_BYTES);
        const bytes = new DataView(Uint8Array.from(mac).buffer);
        expect(answer).toEqual({ address, macHigh: bytes.getUint16(0), macLow: bytes.getInt32(2) });
      }),
    );
  });

  test("refuses group addresses and an address of zeros", () => {
    expect(parseArpReply(reply([0x01, 0, 0x5e, 0, 0, 1], 1), REPLY_BYTES)).toBeUndefined();
    expect(parseArpReply(reply([255, 255, 255, 255, 255, 255], 1), REPLY_BYTES)).toBeUndefined();
    expect(parseArpReply(reply([0, 0, 0, 0, 0, 0], 1), REPLY_BYTES)).toBeUndefined();
  });

  test("refuses every packet whose fixed fields differ in a single bit", () => {
    for (let bit = 0; bit < 8 * 8; bit++) {
      const view = reply([2, 0, 0, 0, 0, 1], 0x0a00_0001);
      view.setUint8(bit >>> 3, view.getUint8(bit >>> 3) ^ (1 << (bit & 7)));
      expect(parseArpReply(view, REPLY_BYTES)).toBeUndefined();
    }
  });

  test("reads nothing beyond what was received", () => {
    const whole = new Uint8Array(reply([2, 0, 0, 0, 0, 1], 0x0a00_0001).buffer);
    for (let length = 0; length < REPLY_BYTES; length++) {
      expect(parseArpReply(new DataView(whole.slice(0, length).buffer), length)).toBeUndefined();
    }
  });

  test("takes any bytes without throwing, and believes only replies", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const answer = parseArpReply(new DataView(bytes.slice().buffer), bytes.length);
        expect(answer === undefined || bytes[7] === 2).toBe(true);
      }),
    );
  });
});
