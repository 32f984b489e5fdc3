/** Requests to what stores and hands out data: TFTP, memcached, BitTorrent's DHT, and to X display managers. */

import { bytesOf, plain, repeats16, u16, type UdpPayload, withCookie, zeros } from "./payload.ts";

const DHT_TRANSACTION = bytesOf("1:t2:");
const DHT_HEAD = bytesOf("d1:ad2:id20:portolan-port-scannee1:q4:ping", DHT_TRANSACTION);

/**
 * BEP 5 "ping": bencoded, with a transaction of two bytes that comes back under the key "t". Keys before it may hold
 * anything, so it is looked for.
 */
function dhtPing(): UdpPayload {
  const bytes = bytesOf(DHT_HEAD, zeros(2), "1:y1:qe");
  return withCookie("dht-ping", [6_881], bytes, DHT_HEAD.length, 2, (view, at, length, cookie) => {
    const end = at + length - DHT_TRANSACTION.length - 2;
    for (let place = at; place <= end; place++) {
      const isHere = DHT_TRANSACTION.every((byte, i) => view.getUint8(place + i) === byte);
      if (isHere && view.getUint16(place + DHT_TRANSACTION.length) === (cookie & 0xffff)) return true;
    }
    return false;
  });
}

export const dataPayloads = (): readonly UdpPayload[] => [
  // RFC 1350 §5: reads a file that is not there. Servers that answer from a port of its own are not heard.
  plain("tftp-read", [69], bytesOf(u16(1), "portolan.txt\0", "octet\0")),
  // memcached doc/protocol.txt, "UDP protocol": a request number that comes back, and the command with the least answer.
  withCookie(
    "memcached-version",
    [11_211],
    bytesOf(u16(0), u16(0), u16(1), u16(0), "version\r\n"),
    0,
    2,
    repeats16(0),
  ),
  dhtPing(),
  // XDMCP (X.Org) §"Query": no names of authentication.
  plain("xdmcp-query", [177], bytesOf(u16(1), u16(2), u16(1), 0)),
];
