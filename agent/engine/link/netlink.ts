/**
 * Asks the kernel about links and routes over rtnetlink (RFC 3549, linux/rtnetlink.h).
 * Only what a sender needs: no `ip` binary, no parsing of text. Answers come from the same host, in microseconds.
 */

import { checked, libc } from "../../ffi/libc.ts";
import { AF_INET, AF_NETLINK, SOCK_CLOEXEC, SOCK_RAW } from "../../ffi/constants.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import { PortolanError } from "#shared/errors.ts";

const NLM_F_REQUEST = 1;
const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_MULTI = 2;
const HEADER_BYTES = 16;

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;

const IFINFO_BYTES = 16;
const RTMSG_BYTES = 12;
const RTMSG_TYPE_AT = 7;
const RTN_BROADCAST = 3;
const RECEIVE_BYTES = 64 * 1024;

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

/** The kernel's answer to "how does a packet to this address leave?" */
export interface RouteAnswer {
  readonly linkIndex: number;
  /** Next hop, or undefined where the target is on the link itself. */
  readonly gateway: number | undefined;
  readonly source: number;
  /** The address means every host of a link, not one. */
  readonly broadcast: boolean;
}

/** A prefix of some routing table: only its bounds matter here. */
export interface RoutePrefix {
  readonly destination: number;
  readonly length: number;
}

type Attributes = ReadonlyMap<number, DataView>;

/** One request-answer conversation at a time. Close it after use. */
export class Netlink {
  private readonly fd: number;
  private readonly memory = new PinnedMemory(RECEIVE_BYTES);
  private sequence = 0;

  constructor() {
    this.fd = checked(libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0), "socket", "opening rtnetlink");
  }

  close(): void {
    libc.close(this.fd);
  }

  links(): LinkInfo[] {
    const found: LinkInfo[] = [];
    this.request(RTM_GETLINK, NLM_F_DUMP, new Uint8Array(IFINFO_BYTES), (type, body) => {
      if (type === RTM_NEWLINK) found.push(readLink(body));
    });
    return found;
  }

  /** Every IPv4 prefix of every table, the local one included. */
  routePrefixes(): RoutePrefix[] {
    const found: RoutePrefix[] = [];
    const request = new Uint8Array(RTMSG_BYTES);
    request[0] = AF_INET;
    this.request(RTM_GETROUTE, NLM_F_DUMP, request, (type, body) => {
      if (type !== RTM_NEWROUTE || body.getUint8(0) !== AF_INET) return;
      const destination = attributesOf(body, RTMSG_BYTES).get(RTA_DST)?.getUint32(0) ?? 0;
      found.push({ destination, length: body.getUint8(1) });
    });
    return found;
  }

  /** Undefined where the kernel has no route, or one that forbids. */
  routeTo(address: number): RouteAnswer | undefined {
    const request = new Uint8Array(RTMSG_BYTES + 8);
    const view = new DataView(request.buffer);
    view.setUint8(0, AF_INET);
    view.setUint8(1, 32);
    view.setUint16(RTMSG_BYTES, 8, true);
    view.setUint16(RTMSG_BYTES + 2, RTA_DST, true);
    view.setUint32(RTMSG_BYTES + 4, address);
    let answer: RouteAnswer | undefined;
    const refused = this.request(RTM_GETROUTE, 0, request, (type, body) => {
      if (type !== RTM_NEWROUTE) return;
      const attributes = attributesOf(body, RTMSG_BYTES);
      const linkIndex = attributes.get(RTA_OIF)?.getUint32(0, true);
      const source = attributes.get(RTA_PREFSRC)?.getUint32(0);
      if (linkIndex === undefined || source === undefined) return;
      answer = {
        linkIndex,
        source,
        gateway: attributes.get(RTA_GATEWAY)?.getUint32(0),
        broadcast: body.getUint8(RTMSG_TYPE_AT) === RTN_BROADCAST,
      };
    });
    return refused ? undefined : answer;
  }

  /** True when the kernel answered with an error, which for a route means "there is none". */
  private request(
    type: number,
    flags: number,
    body: Uint8Array,
    onMessage: (type: number, body: DataView) => void,
  ): boolean {
    const { view, bytes, address } = this.memory;
    const sequence = ++this.sequence;
    const length = HEADER_BYTES + body.length;
    bytes.fill(0, 0, length);
    view.setUint32(0, length, true);
    view.setUint16(4, type, true);
    view.setUint16(6, NLM_F_REQUEST | flags, true);
    view.setUint32(8, sequence, true);
    bytes.set(body, HEADER_BYTES);
    checked(libc.sendto(this.fd, address, length, 0, null, 0), "sendto", "asking rtnetlink");

    for (;;) {
      const received = checked(libc.recv(this.fd, address, RECEIVE_BYTES, 0), "recv", "reading rtnetlink");
      let at = 0;
      let more = false;
      while (at + HEADER_BYTES <= received) {
        const messageBytes = view.getUint32(at, true);
        if (messageBytes < HEADER_BYTES || at + messageBytes > received) {
          throw new PortolanError("NETLINK_BROKEN", "rtnetlink sent a message that does not fit its frame");
        }
        const messageType = view.getUint16(at + 4, true);
        if (view.getUint32(at + 8, true) === sequence) {
          if (messageType === NLMSG_DONE) return false;
          if (messageType === NLMSG_ERROR) return view.getInt32(at + HEADER_BYTES, true) !== 0;
          more ||= (view.getUint16(at + 6, true) & NLM_F_MULTI) !== 0;
          onMessage(
            messageType,
            new DataView(this.memory.buffer, at + HEADER_BYTES, messageBytes - HEADER_BYTES),
          );
        }
        at += (messageBytes + 3) & ~3;
      }
      if (!more) return false;
    }
  }
}

/** Route attributes follow the fixed part: 16-bit length and type, then the value, each padded to four bytes. */
function attributesOf(body: DataView, from: number): Attributes {
  const attributes = new Map<number, DataView>();
  let at = from;
  while (at + 4 <= body.byteLength) {
    const length = body.getUint16(at, true);
    if (length < 4 || at + length > body.byteLength) break;
    attributes.set(
      body.getUint16(at + 2, true) & 0x3fff,
      new DataView(body.buffer, body.byteOffset + at + 4, length - 4),
    );
    at += (length + 3) & ~3;
  }
  return attributes;
}

function readLink(body: DataView): LinkInfo {
  const attributes = attributesOf(body, IFINFO_BYTES);
  const flags = body.getUint32(8, true);
  const name = attributes.get(IFLA_IFNAME);
  const mac = attributes.get(IFLA_ADDRESS);
  return {
    index: body.getInt32(4, true),
    type: body.getUint16(2, true),
    up: (flags & IFF_UP) !== 0,
    noArp: (flags & IFF_NOARP) !== 0,
    name: name === undefined ? "" : textOf(name),
    mac: mac === undefined ? new Uint8Array(0) : copyOf(mac),
    mtu: attributes.get(IFLA_MTU)?.getUint32(0, true) ?? 0,
  };
}

function copyOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
}

function textOf(view: DataView): string {
  const bytes = copyOf(view);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
