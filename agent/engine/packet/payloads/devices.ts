/** Requests to things and machines: CoAP, BACnet, EtherNet/IP, KNXnet/IP. */

import { bytesOf, plain, repeats32, u16, u32, type UdpPayload, withCookie, zeros } from "./payload.ts";

/**
 * RFC 7252 §3, RFC 6690: a confirmable GET of /.well-known/core. Message identifier and a token of two bytes lie side by
 * side and carry the cookie's halves. A reset brings the identifier back, a response of its own the token, others both.
 */
function coapGet(): UdpPayload {
  const bytes = bytesOf([0x42, 1], zeros(4), 0xbb, ".well-known", 0x04, "core");
  return withCookie("coap-well-known", [5_683], bytes, 2, 4, (view, at, length, cookie) => {
    if (length < 4) return false;
    if (view.getUint16(at + 2) === cookie >>> 16) return true;
    const hasToken = length >= 6 && (view.getUint8(at) & 15) === 2;
    return hasToken && view.getUint16(at + 4) === (cookie & 0xffff);
  });
}

/** ANSI/ASHRAE 135 annex J, clauses 6, 15.5: reads the object name of the device, whatever its number. */
const BACNET_READ = bytesOf(
  [0x81, 0x0a],
  u16(17),
  [1, 4], // network layer: version, an answer is expected
  [0, 5, 1, 12], // confirmed request 1, up to 1,476 bytes: read property
  0x0c,
  u32(0x023f_ffff), // object: device 4194303, which stands for any
  [0x19, 77], // property: object name
);

export const devicePayloads = (): readonly UdpPayload[] => [
  coapGet(),
  plain("bacnet-read-name", [47_808], BACNET_READ),
  // CIP volume 2 §2-4.2: list identity; the sender's context comes back.
  withCookie("ethernet-ip-identity", [44_818], bytesOf([0x63, 0], zeros(22)), 12, 4, repeats32(12)),
  // KNX specification 03_08_02 §7.6.3: a description request to be answered where it came from.
  plain("knx-description", [3_671], bytesOf([6, 0x10, 2, 3], u16(14), [8, 1], zeros(6))),
];
