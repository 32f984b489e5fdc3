/** Requests to name services: DNS (RFC 1035), NetBIOS (RFC 1002), multicast DNS (RFC 6762). */

import { bytesOf, plain, repeats16, u16, type UdpPayload, withCookie, zeros } from "./payload.ts";

const RECURSION_DESIRED = 0x0100;
const TYPE_A = 1;
const TYPE_PTR = 12;
const TYPE_TXT = 16;
const TYPE_NBSTAT = 33;
const CLASS_IN = 1;
const CLASS_CHAOS = 3;
const UNICAST_RESPONSE = 0x8000;

/** A query with one question. The first two bytes are the identifier. */
function query(flags: number, name: Iterable<number>, type: number, queryClass: number): Uint8Array {
  return bytesOf(zeros(2), u16(flags), u16(1), zeros(6), name, u16(type), u16(queryClass));
}

function nameOf(...labels: readonly string[]): Uint8Array {
  return bytesOf(...labels.flatMap((label) => [label.length, label]), 0);
}

/** RFC 1001 §14.1: the name "*", filled up with zeros to 16 bytes, each byte as two letters from A on. */
const NETBIOS_ANY = nameOf(`CK${"A".repeat(30)}`);

export const namePayloads = (): readonly UdpPayload[] => [
  withCookie(
    "dns-version-bind",
    [53],
    query(0, nameOf("version", "bind"), TYPE_TXT, CLASS_CHAOS),
    0,
    2,
    repeats16(0),
  ),
  withCookie("dns-root", [53], query(RECURSION_DESIRED, nameOf(), TYPE_A, CLASS_IN), 0, 2, repeats16(0)),
  withCookie("netbios-node-status", [137], query(0, NETBIOS_ANY, TYPE_NBSTAT, CLASS_IN), 0, 2, repeats16(0)),
  // Responders are free to answer with the identifier 0 (§18.1), so there is nothing to check.
  plain(
    "mdns-services",
    [5_353],
    query(0, nameOf("_services", "_dns-sd", "_udp", "local"), TYPE_PTR, UNICAST_RESPONSE | CLASS_IN),
  ),
];
