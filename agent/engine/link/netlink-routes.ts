/** Routes as the kernel tells them over rtnetlink: the tables' prefixes, and the way that a packet would take. */

import { AF_INET, AF_INET6 } from "../../ffi/constants.ts";
import type { AddressFamily, AddressWords } from "../targets/address-words.ts";
import { bytesOf, bytesOfWords, readWords } from "./netlink-address.ts";
import { attributeAt, type NetlinkSocket, writeAttribute } from "./netlink-socket.ts";

const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const RTM_NEWRULE = 32;
const RTM_GETRULE = 34;

const RTMSG_BYTES = 12;
const RTMSG_TYPE_AT = 7;
const RTMSG_FLAGS_AT = 8;
const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const RTA_VIA = 18;
const RTA_ENCAP = 22;
/** Answer with the entry of the table that matched, and with an error where none does. */
const RTM_F_FIB_MATCH = 0x2000;

const RTN_LOCAL = 2;
const RTN_BROADCAST = 3;
const RTN_MULTICAST = 5;

const RULE_BYTES = 12;
const FRA_DST = 1;

/** A prefix of some routing table or rule: where the way to an address may change. */
export interface RoutePrefix<T extends number | bigint> {
  readonly destination: T;
  readonly length: number;
  /** Undefined for rules, for what forbids, and for routes over several links. */
  readonly linkIndex: number | undefined;
}

/** The kernel's answer to "how does a packet to this address leave?" */
export interface RouteAnswer {
  readonly kind: "host" | "own" | "broadcast" | "multicast";
  readonly linkIndex: number;
  /** Next hop, or undefined where the target is on the link itself. */
  readonly gateway: AddressWords | undefined;
  /** Undefined where this host has no address that fits. */
  readonly source: AddressWords | undefined;
  /** The packet is wrapped on its way, or its next hop is of the other family: only the kernel can send it. */
  readonly kernelOnly: boolean;
}

export interface NoRoute {
  readonly kind: "none";
  /** What forbids, for people; "" where there is just no route. */
  readonly reason: string;
}

/** How routes that forbid are told apart: each answers with an error of its own (ip-route(8)). */
const FORBIDDING: Readonly<Record<string, string>> = {
  EHOSTUNREACH: "this host's routing table says unreachable",
  EACCES: "this host's routing table says prohibited",
  EINVAL: "this host's routing table says blackhole",
};

export interface RouteQuestion {
  /** 0 leaves the interface to the kernel. */
  readonly linkIndex: number;
  readonly source: AddressWords | undefined;
}

/** Every IPv4 prefix of every table, the local one included, and of the rules that choose among tables. */
export function ipv4Prefixes(socket: NetlinkSocket): RoutePrefix<number>[] {
  return prefixesOf(socket, AF_INET, (view, at) => (at < 0 ? 0 : view.getUint32(at)));
}

/** Likewise for IPv6. */
export function ipv6Prefixes(socket: NetlinkSocket): RoutePrefix<bigint>[] {
  return prefixesOf(socket, AF_INET6, (view, at) =>
    at < 0 ? 0n : (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8),
  );
}

function prefixesOf<T extends number | bigint>(
  socket: NetlinkSocket,
  addressFamily: number,
  read: (view: DataView, at: number) => T,
): RoutePrefix<T>[] {
  const found: RoutePrefix<T>[] = [];
  const bytes = addressFamily === AF_INET ? 4 : 16;
  const request = new Uint8Array(RTMSG_BYTES);
  request[0] = addressFamily;
  socket.dump(RTM_GETROUTE, request, (type, view, from, to) => {
    if (type !== RTM_NEWROUTE || view.getUint8(from) !== addressFamily) return;
    const destination = read(view, attributeAt(view, from + RTMSG_BYTES, to, RTA_DST, bytes));
    const oif = attributeAt(view, from + RTMSG_BYTES, to, RTA_OIF, 4);
    const linkIndex = oif < 0 ? undefined : view.getUint32(oif, true);
    found.push({ destination, length: view.getUint8(from + 1), linkIndex });
  });
  socket.dump(RTM_GETRULE, request, (type, view, from, to) => {
    const at = attributeAt(view, from + RULE_BYTES, to, FRA_DST, bytes);
    if (type !== RTM_NEWRULE || view.getUint8(from) !== addressFamily || at < 0) return;
    found.push({ destination: read(view, at), length: view.getUint8(from + 1), linkIndex: undefined });
  });
  return found;
}

export function routeTo(
  socket: NetlinkSocket,
  family: AddressFamily,
  target: AddressWords,
  { linkIndex, source }: RouteQuestion,
): RouteAnswer | NoRoute {
  let answer: RouteAnswer | NoRoute = { kind: "none", reason: "" };
  const request = routeRequest(family, target, linkIndex, source, 0);
  const refusal = socket.ask(RTM_GETROUTE, request, (type, view, from, to) => {
    if (type === RTM_NEWROUTE) answer = readRoute(family, source, view, from, to) ?? answer;
  });
  return refusal === undefined ? answer : { kind: "none", reason: FORBIDDING[refusal] ?? "" };
}

/** True where a routing table leads to the target over this interface. */
export function hasRouteOver(
  socket: NetlinkSocket,
  family: AddressFamily,
  target: AddressWords,
  linkIndex: number,
): boolean {
  const request = routeRequest(family, target, linkIndex, undefined, RTM_F_FIB_MATCH);
  return socket.ask(RTM_GETROUTE, request, () => undefined) === undefined;
}

function routeRequest(
  family: AddressFamily,
  target: AddressWords,
  linkIndex: number,
  source: AddressWords | undefined,
  flags: number,
): Uint8Array {
  const request = new Uint8Array(RTMSG_BYTES + 48);
  const view = new DataView(request.buffer);
  const prefix = bytesOf(family) * 8;
  view.setUint8(0, family === 4 ? AF_INET : AF_INET6);
  view.setUint8(1, prefix);
  view.setUint32(RTMSG_FLAGS_AT, flags, true);
  let end = writeAttribute(request, RTMSG_BYTES, RTA_DST, bytesOfWords(family, target));
  if (source !== undefined) {
    view.setUint8(2, prefix);
    end = writeAttribute(request, end, RTA_SRC, bytesOfWords(family, source));
  }
  if (linkIndex !== 0) {
    const index = new Uint8Array(4);
    new DataView(index.buffer).setInt32(0, linkIndex, true);
    end = writeAttribute(request, end, RTA_OIF, index);
  }
  return request.subarray(0, end);
}

/** Undefined where the answer names no interface. */
function readRoute(
  family: AddressFamily,
  askedSource: AddressWords | undefined,
  view: DataView,
  from: number,
  to: number,
): RouteAnswer | undefined {
  const attributes = from + RTMSG_BYTES;
  const oif = attributeAt(view, attributes, to, RTA_OIF, 4);
  if (oif < 0) return undefined;
  const words = (type: number): AddressWords | undefined => {
    const at = attributeAt(view, attributes, to, type, bytesOf(family));
    return at < 0 ? undefined : readWords(view, at, family);
  };
  return {
    kind: kindOfType(view.getUint8(from + RTMSG_TYPE_AT)),
    linkIndex: view.getUint32(oif, true),
    gateway: words(RTA_GATEWAY),
    source: askedSource ?? words(RTA_PREFSRC),
    kernelOnly:
      attributeAt(view, attributes, to, RTA_VIA, 0) >= 0 ||
      attributeAt(view, attributes, to, RTA_ENCAP, 0) >= 0,
  };
}

function kindOfType(type: number): RouteAnswer["kind"] {
  if (type === RTN_LOCAL) return "own";
  if (type === RTN_BROADCAST) return "broadcast";
  return type === RTN_MULTICAST ? "multicast" : "host";
}
