/** Every request of the catalogue is read by Wireshark's dissectors as what it claims to be, and found whole. */

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { payload, payloadCount } from "./payloads.ts";
import { concat, ipPacket, udpDatagram, UDP_PROTOCOL, viewOf } from "./testing/packets.ts";

const directory = mkdtempSync(join(tmpdir(), "portolan-payloads-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** What tshark says, by payload; those that are not here have no dissector of their own. */
const PROTOCOLS: Readonly<Record<string, readonly [protocol: string, info: string]>> = {
  "dns-version-bind": ["dns", "TXT version.bind"],
  "dns-root": ["dns", "A <Root>"],
  "netbios-node-status": ["nbns", "Name query NBSTAT *"],
  "mdns-services": ["mdns", 'PTR _services._dns-sd._udp.local, "QU" question'],
  "ntp-client": ["ntp", "NTP Version 4, client"],
  "ntp-readvar": ["ntp", "NTP Version 2, control"],
  echo: ["echo", "Request"],
  "any-datagram": ["daytime", "DAYTIME Request"],
  "snmp-v1": ["snmp", "get-request 1.3.6.1.2.1.1.1.0"],
  "snmp-v2c": ["snmp", "get-request 1.3.6.1.2.1.1.1.0"],
  "snmp-v3-discovery": ["snmp", "get-request"],
  "rmcp-ping": ["rmcp:asf", "Presence Ping"],
  "radius-access-request": ["radius", "Access-Request"],
  "rip-request": ["rip", "Request"],
  "ldap-root": ["cldap", "searchRequest"],
  "kerberos-as-request": ["kerberos", "AS-REQ"],
  "portmap-null": ["rpc", "V2 NULL Call"],
  "nfs-null": ["rpc", "V3 NULL Call"],
  "slp-types": ["srvloc", "Service Type Request, V2"],
  "ssdp-search": ["ssdp", "M-SEARCH * HTTP/1.1"],
  "nat-pmp": ["portcontrol", "External Address Request"],
  "pcp-announce": ["portcontrol", "Announce Request"],
  "ike-v1": ["isakmp", "Identity Protection (Main Mode)"],
  "ike-v1-nat": ["udpencap:isakmp", "Identity Protection (Main Mode)"],
  "ike-v2": ["isakmp", "IKE_SA_INIT"],
  "ike-v2-nat": ["udpencap:isakmp", "IKE_SA_INIT"],
  "l2tp-request": ["l2tp", "SCCRQ"],
  "openvpn-reset": ["openvpn", "P_CONTROL_HARD_RESET_CLIENT_V2"],
  "dtls-client-hello": ["dtls", "Client Hello"],
  "quic-version-negotiation": ["quic", "Initial"],
  "gtp-echo": ["gtp", "Echo request"],
  "coap-well-known": ["coap", "CON, MID:57005, GET, TKN:be ef, /.well-known/core"],
  "bacnet-read-name": ["bvlc:bacnet:bacapp", "readProperty[  1] device,4194303 object-name"],
  "ethernet-ip-identity": ["enip", "List Identity (Req)"],
  "knx-description": ["kip", "DescrReq @0.0.0.0:0"],
  "sip-options": ["sip", "Request: OPTIONS"],
  "stun-binding": ["stun", "Binding Request"],
  "iax2-poke": ["iax2", "POKE"],
  "quake3-info": ["quake3", "Connectionless"],
  "raknet-ping": ["raknet:raknet", "Unconnected Ping"],
  "tftp-read": ["tftp", "Read Request, File: portolan.txt, Transfer type: octet"],
  "memcached-version": ["memcache", ""],
  "dht-ping": ["bt-dht", "BitTorrent DHT"],
  "xdmcp-query": ["xdmcp", "Query"],
};

/** A capture file of IP packets: draft-ietf-opsawg-pcap. */
function captureOf(packets: readonly Uint8Array[]): Uint8Array {
  const header = Uint8Array.from([
    0xa1,
    0xb2,
    0xc3,
    0xd4,
    0,
    2,
    0,
    4,
    ...new Uint8Array(10),
    0xff,
    0xff,
    0,
    0,
    0,
    101,
  ]);
  const records = packets.flatMap((packet) => {
    const record = new Uint8Array(16);
    viewOf(record).setUint32(8, packet.length);
    viewOf(record).setUint32(12, packet.length);
    return [record, packet];
  });
  return concat(header, ...records);
}

/** The request with a cookie in it, to its first port, between hosts of its own, so that no other packet colours it. */
function requestPacket(number: number): Uint8Array {
  const { bytes, cookieAt, cookieBytes, ports } = payload(number);
  const data = bytes.slice();
  if (cookieBytes === 4) viewOf(data).setUint32(cookieAt, 0xdead_beef);
  if (cookieBytes === 2) viewOf(data).setUint16(cookieAt, 0xbeef);
  const datagram = udpDatagram(50_000 + number * 7, ports[0] ?? 0, data);
  return ipPacket(4, [0, 0, 0, 0x0a00_0001], [0, 0, 0, 0x0a00_0100 + number], UDP_PROTOCOL, datagram);
}

test("tshark knows each request for what it is, and finds nothing malformed", () => {
  const file = join(directory, "payloads.pcap");
  const numbers = Array.from({ length: payloadCount() - 1 }, (_, i) => i + 1);
  writeFileSync(file, captureOf(numbers.map(requestPacket)));
  const fields = ["frame.protocols", "_ws.col.Info", "_ws.malformed"].flatMap((field) => ["-e", field]);
  const { stdout, stderr, success } = Bun.spawnSync(
    ["tshark", "-n", "-r", file, "-T", "fields", "-E", "separator=/t", ...fields],
    { stdout: "pipe", stderr: "pipe" },
  );
  if (!success) throw new Error(`tshark failed: ${stderr.toString()}`);
  const lines = stdout.toString().trimEnd().split("\n");
  expect(lines).toHaveLength(numbers.length);
  const known = new Set<string>();
  lines.forEach((line, i) => {
    const { name } = payload(i + 1);
    const [protocols = "", info = "", malformed = ""] = line.split("\t");
    expect(`${name} ${malformed}${info}`).not.toContain("alformed");
    const wanted = PROTOCOLS[name];
    if (wanted === undefined) return;
    known.add(name);
    expect(`${name} ${protocols}`).toBe(`${name} raw:ip:udp:${wanted[0]}`);
    expect(`${name} ${info}`).toContain(wanted[1]);
  });
  expect([...known].toSorted()).toEqual(Object.keys(PROTOCOLS).toSorted());
});
