/** Requests by which devices find each other: SSDP, WS-Discovery, NAT-PMP, PCP, SQL Server Browser, Ubiquiti. */

import { bytesOf, plain, u32, type UdpPayload, zeros } from "./payload.ts";

/** UPnP Device Architecture 2.0 §1.3.2, sent to one host: only root devices, so that the answer stays small. */
const SSDP_SEARCH = [
  "M-SEARCH * HTTP/1.1",
  "HOST: 239.255.255.250:1900",
  'MAN: "ssdp:discover"',
  "MX: 1",
  "ST: upnp:rootdevice",
  "",
  "",
].join("\r\n");

/** OASIS WS-Discovery 1.0 (2005) §5.2: a probe for everything. */
const WS_PROBE = [
  '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"',
  ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header>',
  "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>",
  "<a:MessageID>urn:uuid:70726f62-6500-4000-8000-706f72746f6c</a:MessageID>",
  "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>",
  '<s:Body><Probe xmlns="http://schemas.xmlsoap.org/ws/2005/04/discovery"/></s:Body></s:Envelope>',
].join("");

export const discoveryPayloads = (): readonly UdpPayload[] => [
  plain("ssdp-search", [1_900], bytesOf(SSDP_SEARCH)),
  plain("ws-discovery-probe", [3_702], bytesOf(WS_PROBE)),
  // RFC 6886 §3.2: what is the external address?
  plain("nat-pmp", [5_351], bytesOf([0, 0])),
  // RFC 6887 §14.1.1: an announcement from the client address ::, whose mismatch is answered too.
  plain("pcp-announce", [5_351], bytesOf([2, 0, 0, 0], u32(0), zeros(16))),
  // [MC-SQLR] §2.2.2: which instances are there?
  plain("sql-server-browser", [1_434], bytesOf([3])),
  // Version 1, command 0, no data; seen in the open in Ubiquiti's discovery tool.
  plain("ubiquiti-discovery", [10_001], bytesOf([1, 0, 0, 0])),
];
