/**
 * Asks the kernel about links, addresses, routes and neighbours over rtnetlink (linux/rtnetlink.h).
 * Only what a sender needs: no `ip` binary, no parsing of text. Answers come from the same host, in microseconds.
 */

import { readdirSync } from "node:fs";
import type { AddressFamily, AddressWords } from "../targets/address-words.ts";
import { bytesOf, familyOf, readWords } from "./netlink-address.ts";
import {
  hasRouteOver,
  ipv4Prefixes,
  ipv6Prefixes,
  type NoRoute,
  type RouteAnswer,
  type RoutePrefix,
  type RouteQuestion,
  routeTo,
} from "./netlink-routes.ts";
import { attributeAt, attributeBytes, NetlinkSocket } from "./netlink-socket.ts";

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const RTM_NEWNEIGH = 28;
const RTM_GETNEIGH = 30;

const IFINFO_BYTES = 16;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;

const IFADDR_BYTES = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;

const NDMSG_BYTES = 12;
const NDMSG_STATE_AT = 8;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NUD_REACHABLE = 0x02;
const NUD_PERMANENT = 0x80;

/** ARPHRD_* of linux/if_arp.h */
export const ARPHRD_ETHER = 1;
export const ARPHRD_LOOPBACK = 772;
const IFF_UP = 1;
const IFF_NOARP = 0x80;

export interface LinkInfo {
  readonly index: number;
  readonly name: string;
  /** ARPHRD_* */
  readonly type: number;
  readonly up: boolean;
  readonly noArp: boolean;
  readonly mac: Uint8Array;
  readonly mtu: number;
}

/** An address of this host. */
export interface OwnAddress {
  readonly family: AddressFamily;
  readonly words: AddressWords;
  readonly linkIndex: number;
}

/** A hardware address that the kernel has already found. */
export interface KnownNeighbour {
  readonly linkIndex: number;
  readonly family: AddressFamily;
  readonly words: AddressWords;
  readonly mac: Uint8Array;
}

/** Close it after use. */
export class Netlink {
  private readonly socket = new NetlinkSocket();

  close(): void {
    this.socket.close();
  }

  links(): LinkInfo[] {
    const found: LinkInfo[] = [];
    this.socket.dump(RTM_GETLINK, new Uint8Array(IFINFO_BYTES), (type, view, from, to) => {
      if (type === RTM_NEWLINK) found.push(readLink(view, from, to));
    });
    return found;
  }

  addresses(): OwnAddress[] {
    const found: OwnAddress[] = [];
    this.socket.dump(RTM_GETADDR, new Uint8Array(IFADDR_BYTES), (type, view, from, to) => {
      const family = familyOf(view.getUint8(from));
      if (type !== RTM_NEWADDR || family === undefined) return;
      const attributes = from + IFADDR_BYTES;
      // On a point-to-point link IFA_ADDRESS is the other end and IFA_LOCAL is ours.
      const local = attributeAt(view, attributes, to, IFA_LOCAL, bytesOf(family));
      const at = local >= 0 ? local : attributeAt(view, attributes, to, IFA_ADDRESS, bytesOf(family));
      if (at < 0) return;
      found.push({ family, words: readWords(view, at, family), linkIndex: view.getInt32(from + 4, true) });
    });
    return found;
  }

  /** Every IPv4 prefix of every table, the local one included, and of the rules that choose among tables. */
  ipv4Prefixes(): RoutePrefix<number>[] {
    return ipv4Prefixes(this.socket);
  }

  /** Likewise for IPv6. */
  ipv6Prefixes(): RoutePrefix<bigint>[] {
    return ipv6Prefixes(this.socket);
  }

  routeTo(family: AddressFamily, target: AddressWords, question: RouteQuestion): RouteAnswer | NoRoute {
    return routeTo(this.socket, family, target, question);
  }

  /**
   * True where a routing table leads to the target over this interface. The IPv4 answer of `routeTo` does not tell: asked
   * about an interface that has no route to the target, the kernel takes the target to be on the link.
   */
  hasRouteOver(family: AddressFamily, target: AddressWords, linkIndex: number): boolean {
    return hasRouteOver(this.socket, family, target, linkIndex);
  }

  /** Neighbours whose hardware address the kernel is sure of: set by hand, or confirmed a moment ago. */
  knownNeighbours(): KnownNeighbour[] {
    const found: KnownNeighbour[] = [];
    this.socket.dump(RTM_GETNEIGH, new Uint8Array(NDMSG_BYTES), (type, view, from, to) => {
      const family = familyOf(view.getUint8(from));
      const sure = (view.getUint16(from + NDMSG_STATE_AT, true) & (NUD_REACHABLE | NUD_PERMANENT)) !== 0;
      if (type !== RTM_NEWNEIGH || family === undefined || !sure) return;
      const address = attributeAt(view, from + NDMSG_BYTES, to, NDA_DST, bytesOf(family));
      const mac = attributeAt(view, from + NDMSG_BYTES, to, NDA_LLADDR, 6);
      if (address < 0 || mac < 0) return;
      found.push({
        linkIndex: view.getInt32(from + 4, true),
        family,
        words: readWords(view, address, family),
        mac: attributeBytes(view, mac),
      });
    });
    return found;
  }
}

/**
 * Transmit queues that are in use. sysfs has a folder for each; what netlink tells is how many were set aside.
 * One where sysfs does not show this interface.
 */
export function countTxQueues(interfaceName: string): number {
  try {
    const queues = readdirSync(`/sys/class/net/${interfaceName}/queues`);
    return Math.max(1, queues.filter((name) => name.startsWith("tx-")).length);
  } catch {
    return 1;
  }
}

function readLink(view: DataView, from: number, to: number): LinkInfo {
  const flags = view.getUint32(from + 8, true);
  const name = attributeAt(view, from + IFINFO_BYTES, to, IFLA_IFNAME, 1);
  const mac = attributeAt(view, from + IFINFO_BYTES, to, IFLA_ADDRESS, 1);
  const mtu = attributeAt(view, from + IFINFO_BYTES, to, IFLA_MTU, 4);
  return {
    index: view.getInt32(from + 4, true),
    type: view.getUint16(from + 2, true),
    up: (flags & IFF_UP) !== 0,
    noArp: (flags & IFF_NOARP) !== 0,
    name: name < 0 ? "" : textOf(attributeBytes(view, name)),
    mac: mac < 0 ? new Uint8Array(0) : attributeBytes(view, mac),
    mtu: mtu < 0 ? 0 : view.getUint32(mtu, true),
  };
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
