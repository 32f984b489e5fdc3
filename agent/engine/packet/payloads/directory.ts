/** Requests to what tells where things are and who one is: LDAP, Kerberos, the RPC port mapper, NFS, SLP. */

import {
  COOKIE_IN_INTEGER,
  COOKIE_INTEGER,
  enter,
  INTEGER,
  isCookieInteger,
  OCTET_STRING,
  SEQUENCE,
  tlv,
} from "./ber.ts";
import {
  bytesOf,
  plain,
  repeats16,
  repeats32,
  u16,
  u32,
  type UdpPayload,
  withCookie,
  zeros,
} from "./payload.ts";

const BOOLEAN = 0x01;
const ENUMERATED = 0x0a;
const BIT_STRING = 0x03;
const GENERALIZED_TIME = 0x18;
const GENERAL_STRING = 0x1b;

/** RFC 4511 §4.5.1 over UDP ([MS-ADTS] §6.3.3): of what is at the root, one attribute. Answers have the request's number. */
function ldapRootSearch(): UdpPayload {
  const none = tlv(INTEGER, 0);
  const search = tlv(
    0x63,
    tlv(OCTET_STRING),
    tlv(ENUMERATED, 0),
    tlv(ENUMERATED, 0),
    none,
    none,
    tlv(BOOLEAN, 0),
    tlv(0x87, "objectClass"),
    tlv(SEQUENCE, tlv(OCTET_STRING, "supportedLDAPVersion")),
  );
  const bytes = tlv(SEQUENCE, COOKIE_INTEGER, search);
  return withCookie("ldap-root", [389], bytes, 2 + COOKIE_IN_INTEGER, 2, (view, at, length, cookie) => {
    const end = at + length;
    return isCookieInteger(view, enter(view, at, end, SEQUENCE), end, cookie);
  });
}

/** An element with an explicit context tag. */
function explicit(number: number, content: Uint8Array): Uint8Array {
  return tlv(0xa0 | number, content);
}

/** RFC 4120 §5.4.1: asks for a ticket of a realm that is nowhere (RFC 6761 §6.4), which is refused with an error. */
function kerberosRequest(): Uint8Array {
  const realm = tlv(GENERAL_STRING, "PORTOLAN.INVALID");
  const principal = (type: number, ...names: readonly Uint8Array[]): Uint8Array =>
    tlv(SEQUENCE, explicit(0, tlv(INTEGER, type)), explicit(1, tlv(SEQUENCE, ...names)));
  const encryptionTypes = [18, 17, 23].map((type) => tlv(INTEGER, type));
  const body = tlv(
    SEQUENCE,
    explicit(0, tlv(BIT_STRING, 0, u32(0))),
    explicit(1, principal(1, tlv(GENERAL_STRING, "portolan"))),
    explicit(2, realm),
    explicit(3, principal(2, tlv(GENERAL_STRING, "krbtgt"), realm)),
    explicit(5, tlv(GENERALIZED_TIME, "20370101000000Z")),
    explicit(7, tlv(INTEGER, u32(0x5054_4c4e))),
    explicit(8, tlv(SEQUENCE, ...encryptionTypes)),
  );
  return tlv(
    0x6a,
    tlv(SEQUENCE, explicit(1, tlv(INTEGER, 5)), explicit(2, tlv(INTEGER, 10)), explicit(4, body)),
  );
}

/** RFC 5531 §9: calls procedure 0, which does nothing and is always there. The reply begins with the call's number. */
function rpcNullCall(name: string, port: number, program: number, version: number): UdpPayload {
  const call = [0, 0, 2, program, version, 0].flatMap(u32);
  return withCookie(name, [port], bytesOf(call, zeros(16)), 0, 4, repeats32(0));
}

/** RFC 2608 §10.1: which types of service are there, of any authority. Replies have the request's number. */
function slpTypesRequest(): UdpPayload {
  const language = "en";
  const scope = "DEFAULT";
  const body = bytesOf(
    [0, 0], // number
    u16(language.length),
    language,
    u16(0), // no previous responders
    u16(0xffff), // every naming authority
    u16(scope.length),
    scope,
  );
  const bytes = bytesOf([2, 9, 0], u16(10 + body.length), zeros(5), body);
  return withCookie("slp-types", [427], bytes, 10, 2, repeats16(10));
}

export const directoryPayloads = (): readonly UdpPayload[] => [
  ldapRootSearch(),
  // Errors repeat nothing of the request that could carry a cookie.
  plain("kerberos-as-request", [88], kerberosRequest()),
  rpcNullCall("portmap-null", 111, 100_000, 2),
  rpcNullCall("nfs-null", 2_049, 100_003, 3),
  slpTypesRequest(),
];
