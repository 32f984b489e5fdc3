/** The catalogue: sizes, places of the cookie, and which answers are believed. That the requests are well-formed: see payloads-dissected.test.ts. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { mayAnswer, payload, payloadCount, payloadsOfPort } from "./payloads.ts";
import { tlv } from "./payloads/ber.ts";
import { bytesOf, u16, u32, zeros } from "./payloads/payload.ts";
import { viewOf } from "./testing/packets.ts";

const ALL = Array.from({ length: payloadCount() }, (_, number) => payload(number));
const COOKIE = 0x9abc_def1 | 0;
const LOW = u16(COOKIE & 0xffff);
const WHOLE = u32(COOKIE);

function isBelieved(name: string, answer: Uint8Array, cookie = COOKIE): boolean {
  const asked = ALL.find((one) => one.name === name);
  if (asked?.answers === undefined) throw new Error(`${name} has no rule for its answers`);
  // In the middle of other bytes, as in the ring, with something behind it that must not be read.
  const ring = bytesOf(zeros(5), answer, WHOLE);
  return asked.answers(viewOf(ring), 5, answer.length, cookie);
}

describe("requests", () => {
  test("have names and bytes of their own", () => {
    expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
    expect(new Set(ALL.map(({ bytes }) => bytes.toHex())).size).toBe(ALL.length);
  });

  test("fit a packet of 512 bytes of data, but for QUIC, which must fill 1,200", () => {
    for (const { name, bytes } of ALL) {
      if (name === "quic-version-negotiation") expect(bytes.length).toBe(1_200);
      else expect(bytes.length).toBeLessThanOrEqual(512);
    }
  });

  test("have room for the cookie where they say so, and a rule for answers exactly then", () => {
    for (const { bytes, cookieAt, cookieBytes, answers } of ALL) {
      expect(cookieAt >= 0).toBe(cookieBytes > 0);
      expect(answers !== undefined).toBe(cookieBytes > 0);
      if (cookieAt >= 0) expect(cookieAt + cookieBytes).toBeLessThanOrEqual(bytes.length);
    }
  });

  test("are found by port; the empty one is for all others", () => {
    for (let port = 0; port < 65_536; port++) {
      const numbers = payloadsOfPort(port);
      const wanted = ALL.flatMap(({ ports }, number) => (ports.includes(port) ? [number] : []));
      if (wanted.length > 0) expect(numbers).toEqual(wanted);
      else if (numbers.length !== 1 || numbers[0] !== 0) throw new Error(`port ${port}: ${numbers}`);
    }
    expect(payload(0).bytes).toHaveLength(0);
    expect(payload(payloadCount())).toBe(payload(0));
  });

  test("of XML close what they open", () => {
    const text = new TextDecoder().decode(ALL.find(({ name }) => name === "ws-discovery-probe")?.bytes);
    const open: string[] = [];
    for (const [, slash, name, empty] of text.matchAll(/<(\/?)([\w:]+)[^>]*?(\/?)>/g)) {
      if (name === undefined || empty === "/") continue;
      if (slash === "") open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
    expect(text).toStartWith("<s:Envelope");
    expect(text).toEndWith("</s:Envelope>");
  });
});

const SNMP_VALUE = tlv(0x30, tlv(0x30, tlv(6, [0x2b]), tlv(4, "Linux")));
const ERROR_FREE = bytesOf(tlv(2, 0), tlv(2, 0));
const REQUEST_ID = tlv(2, 0x50, LOW, 1);

function snmpAnswer(version: number, community: string, id: Uint8Array): Uint8Array {
  return tlv(0x30, tlv(2, version), tlv(4, community), tlv(0xa2, id, ERROR_FREE, SNMP_VALUE));
}

/** As services would answer, and with which bytes the cookie comes back. */
const ANSWERS: readonly (readonly [string, Uint8Array])[] = [
  ["dns-version-bind", bytesOf(LOW, [0x84, 5], u16(1), zeros(6))],
  ["dns-root", bytesOf(LOW, [0x81, 0x80], u16(1), zeros(6))],
  ["netbios-node-status", bytesOf(LOW, [0x84, 0], zeros(50))],
  ["ntp-client", bytesOf(0x24, zeros(23), WHOLE, zeros(20))],
  ["ntp-readvar", bytesOf([0x16, 0x82], LOW, zeros(8), "version=4")],
  ["echo", bytesOf(WHOLE, "portolan")],
  ["snmp-v1", snmpAnswer(0, "public", REQUEST_ID)],
  ["snmp-v2c", snmpAnswer(1, "x".repeat(200), REQUEST_ID)],
  [
    "snmp-v3-discovery",
    tlv(0x30, tlv(2, 3), tlv(0x30, REQUEST_ID, tlv(2, 5), tlv(4, 0), tlv(2, 3)), tlv(4), tlv(0x30)),
  ],
  ["ldap-root", tlv(0x30, REQUEST_ID, tlv(0x64, tlv(4), tlv(0x30)))],
  ["portmap-null", bytesOf(WHOLE, u32(1), zeros(16))],
  ["nfs-null", bytesOf(WHOLE, u32(1), zeros(16))],
  ["slp-types", bytesOf([2, 10, 0], zeros(7), LOW, u16(2), "en", zeros(4))],
  ["ike-v1", bytesOf(WHOLE, zeros(24))],
  ["ike-v1-nat", bytesOf(zeros(4), WHOLE, zeros(24))],
  ["ike-v2", bytesOf(WHOLE, zeros(24))],
  ["ike-v2-nat", bytesOf(zeros(4), WHOLE, zeros(24))],
  ["l2tp-request", bytesOf([0xc8, 2], u16(20), LOW, zeros(14))],
  // Server's session, one acknowledgement, our session: its first byte, the cookie, the rest.
  ["openvpn-reset", bytesOf(8 << 3, zeros(8), 1, u32(0), 0, WHOLE, zeros(3), u32(0))],
  ["quic-version-negotiation", bytesOf(0x80, u32(0), 8, 0, WHOLE, zeros(3), 8, zeros(8), u32(1))],
  ["gtp-echo", bytesOf([0x32, 2], u16(6), u32(0), LOW, zeros(2), [14, 0])],
  ["coap-well-known", bytesOf([0x62, 0x45], WHOLE, 0xff, "</a>")],
  ["ethernet-ip-identity", bytesOf([0x63, 0], zeros(10), WHOLE, zeros(10))],
  ["stun-binding", bytesOf([1, 1, 0, 0], u32(0x2112_a442), WHOLE, zeros(8))],
  ["raknet-ping", bytesOf(0x1c, 0, WHOLE, zeros(30))],
  ["memcached-version", bytesOf(LOW, zeros(6), "VERSION 1.6\r\n")],
  ["dht-ping", bytesOf("d1:rd2:id20:01234567890123456789e1:t2:", LOW, "1:v4:ABCD1:y1:re")],
];

describe("answers", () => {
  test("there is one here for every request with a cookie", () => {
    const withCookie = ALL.filter(({ cookieBytes }) => cookieBytes > 0).map(({ name }) => name);
    expect(ANSWERS.map(([name]) => name).toSorted()).toEqual(withCookie.toSorted());
  });

  test.each(ANSWERS)("of %s are believed when they bring the cookie back, and only then", (name, answer) => {
    expect(isBelieved(name, answer)).toBe(true);
    // Every byte of the cookie that travels is looked at; CoAP alone takes either half.
    const bits = ALL.find((one) => one.name === name)?.cookieBytes === 4 ? 32 : 16;
    for (let bit = 0; bit < bits; bit++) {
      const isHalf = name === "coap-well-known";
      expect(isBelieved(name, answer, COOKIE ^ (isHalf ? 0x1_0001 << (bit & 15) : 1 << bit))).toBe(false);
    }
  });

  test.each(ANSWERS)(
    "of %s that are cut before the cookie are not believed, nor read beyond",
    (name, answer) => {
      for (let length = 0; length < answer.length; length++) {
        const cut = answer.slice(0, length);
        const asked = ALL.find((one) => one.name === name);
        // The view ends with the answer: one byte too far is an exception.
        asked?.answers?.(viewOf(cut), 0, length, COOKIE);
        if (length < 2) expect(isBelieved(name, cut)).toBe(false);
      }
    },
  );

  test("of any bytes never make a rule fail", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer(), (bytes, cookie) => {
        for (const { answers } of ALL) answers?.(viewOf(bytes), 0, bytes.length, cookie);
      }),
      { numRuns: 2_000 },
    );
  });

  test("CoAP: a reset brings the message's number, a response of its own the token", () => {
    expect(isBelieved("coap-well-known", bytesOf([0x70, 0], WHOLE.slice(0, 2)))).toBe(true);
    expect(isBelieved("coap-well-known", bytesOf([0x52, 0x45], [1, 2], LOW))).toBe(true);
    expect(isBelieved("coap-well-known", bytesOf([0x50, 0x45], [1, 2], LOW))).toBe(false);
  });

  test("SNMP: lengths in the long form, as some agents write them", () => {
    const pdu = bytesOf(0xa2, 0x82, u16(12), bytesOf(REQUEST_ID, ERROR_FREE));
    const head = bytesOf(tlv(2, 1), tlv(4, "public"));
    const answer = bytesOf(0x30, 0x82, u16(head.length + pdu.length), head, pdu);
    expect(isBelieved("snmp-v2c", answer)).toBe(true);
  });

  test("of a port: one of its requests is enough, and where a request has no cookie nothing can be told", () => {
    const echoed = bytesOf(LOW, [0x81, 0x80], zeros(8));
    expect(mayAnswer(53, viewOf(echoed), 0, echoed.length, COOKIE)).toBe(true);
    expect(mayAnswer(53, viewOf(echoed), 0, echoed.length, COOKIE ^ 1)).toBe(false);
    const control = bytesOf([0x16, 0x82], LOW, zeros(8));
    expect(mayAnswer(123, viewOf(control), 0, control.length, COOKIE)).toBe(true);
    expect(mayAnswer(9, viewOf(control), 0, 0, COOKIE)).toBe(true);
    expect(mayAnswer(1_900, viewOf(control), 0, 3, COOKIE)).toBe(true);
  });
});
