/** Requests to what manages networks and machines: SNMP, IPMI, RADIUS, RIP. */

import {
  COOKIE_IN_INTEGER,
  COOKIE_INTEGER,
  enter,
  INTEGER,
  isCookieInteger,
  OCTET_STRING,
  SEQUENCE,
  skip,
  tlv,
} from "./ber.ts";
import { bytesOf, filler, plain, u16, u32, type UdpPayload, withCookie, zeros } from "./payload.ts";

const GET_REQUEST = 0xa0;
const GET_RESPONSE = 0xa2;
const NULL = 0x05;
const OBJECT_IDENTIFIER = 0x06;
const SYS_DESCR_0 = tlv(OBJECT_IDENTIFIER, [0x2b, 6, 1, 2, 1, 1, 1, 0]);

function snmpPdu(...bindings: readonly Uint8Array[]): Uint8Array {
  const noError = tlv(INTEGER, 0);
  return tlv(GET_REQUEST, COOKIE_INTEGER, noError, noError, tlv(SEQUENCE, ...bindings));
}

/** RFC 1157 §4, RFC 3416 §3: asks for sysDescr.0; the response has the request's identifier. */
function snmpGet(name: string, version: number): UdpPayload {
  const head = bytesOf(tlv(INTEGER, version), tlv(OCTET_STRING, "public"));
  const bytes = tlv(SEQUENCE, head, snmpPdu(tlv(SEQUENCE, SYS_DESCR_0, tlv(NULL))));
  return withCookie(name, [161], bytes, 2 + head.length + 2 + COOKIE_IN_INTEGER, 2, isSnmpResponse);
}

function isSnmpResponse(view: DataView, at: number, length: number, cookie: number): boolean {
  const end = at + length;
  const version = enter(view, at, end, SEQUENCE);
  const community = skip(view, version, end, INTEGER);
  const pdu = skip(view, community, end, OCTET_STRING);
  return isCookieInteger(view, enter(view, pdu, end, GET_RESPONSE), end, cookie);
}

/** RFC 3414 §4: a request from nobody, which an agent answers with a report of its engine identifier. */
function snmpV3Discovery(): UdpPayload {
  const empty = tlv(OCTET_STRING);
  const zero = tlv(INTEGER, 0);
  const maxSize = tlv(INTEGER, 0, u16(65_507));
  const reportable = tlv(OCTET_STRING, 4);
  const userSecurityModel = tlv(INTEGER, 3);
  const security = tlv(SEQUENCE, empty, zero, zero, empty, empty, empty);
  const version = tlv(INTEGER, 3);
  const bytes = tlv(
    SEQUENCE,
    version,
    tlv(SEQUENCE, COOKIE_INTEGER, maxSize, reportable, userSecurityModel),
    tlv(OCTET_STRING, security),
    tlv(SEQUENCE, empty, empty, snmpPdu()),
  );
  const cookieAt = 2 + version.length + 2 + COOKIE_IN_INTEGER;
  return withCookie("snmp-v3-discovery", [161], bytes, cookieAt, 2, (view, at, length, cookie) => {
    const end = at + length;
    const header = skip(view, enter(view, at, end, SEQUENCE), end, INTEGER);
    return isCookieInteger(view, enter(view, header, end, SEQUENCE), end, cookie);
  });
}

/** A RADIUS attribute: type, length, value (RFC 2865 §5). */
function radiusAttribute(type: number, ...value: readonly (string | Iterable<number>)[]): Uint8Array {
  const bytes = bytesOf(...value);
  return bytesOf(type, bytes.length + 2, bytes);
}

/**
 * An Access-Request (RFC 2865 §4.1). A Status-Server request (RFC 5997) would be politer, but it is only answered when it
 * is signed with the shared secret; this one is refused aloud where requests need no signature.
 */
function radiusAccessRequest(): Uint8Array {
  const attributes = bytesOf(
    radiusAttribute(1, "portolan"),
    radiusAttribute(2, filler(16)),
    radiusAttribute(32, "portolan"),
  );
  return bytesOf(1, 1, u16(20 + attributes.length), filler(16), attributes);
}

export const managementPayloads = (): readonly UdpPayload[] => [
  snmpGet("snmp-v1", 0),
  snmpGet("snmp-v2c", 1),
  snmpV3Discovery(),
  // ASF 2.0 §3.2.4.1: a presence ping, which every IPMI 2.0 controller answers (IPMI §13.13).
  plain("rmcp-ping", [623], bytesOf([6, 0, 0xff, 6], u32(4_542), [0x80, 1, 0, 0])),
  plain("radius-access-request", [1_812, 1_645], radiusAccessRequest()),
  // RFC 2453 §3.9.1: one entry of family 0 and metric 16 asks for the whole table.
  plain("rip-request", [520], bytesOf([1, 2], zeros(2), zeros(16), u32(16))),
];
