/**
 * Asks for hardware addresses, by ARP and by neighbour discovery, and hears the answers of all links.
 * One socket does it all, because closing a packet socket waits 10 ms or more for the kernel's readers of it.
 * Whom to ask and when is up to `neighbour-search.ts`.
 */

import {
  AF_PACKET,
  ETH_P_ALL,
  ETH_P_ARP,
  ETH_P_IPV6,
  MSG_DONTWAIT,
  PACKET_OUTGOING,
  SOCK_CLOEXEC,
  SOCK_RAW,
} from "../../ffi/constants.ts";
import { checked, libc } from "../../ffi/libc.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import { ARP_REPLY, buildArpRequest, parseArpReply, TARGET_AT } from "../packet/arp.ts";
import {
  buildNeighbourSolicitation,
  NDP_HOP_LIMIT,
  NEXT_HEADER_ICMPV6,
  parseNeighbourAdvertisement,
  solicit,
  TYPE_ADVERTISEMENT,
} from "../packet/ndp.ts";
import { type AddressFamily, type AddressWords, wordsOfIpv4 } from "../targets/address-words.ts";
import { attachFilter, type Instruction } from "./socket-filter.ts";
import { SOCKADDR_LL_BYTES, writeSockaddrLl } from "./socket-address.ts";

/** A flood of answers must not keep the search from ending. */
const MAX_PACKETS_AT_ONCE = 1_000;
const ETHERNET_BYTES = 14;
/** More than an advertisement with any sensible options. */
const ANSWER_BYTES = 512;
const SLL_IFINDEX_AT = 4;
const SLL_PKTTYPE_AT = 10;

/** Takes an address of a link with its MAC, as upper 16 and lower 32 bits. */
export type NeighbourReader = (
  family: AddressFamily,
  interfaceIndex: number,
  address: AddressWords,
  macHigh: number,
  macLow: number,
) => void;

/** The question that goes out on one link, again and again with another target. */
export class NeighbourRequest {
  readonly frame: PinnedMemory;
  readonly link = new PinnedMemory(SOCKADDR_LL_BYTES);
  private readonly family: AddressFamily;

  /** @param source our address, which the answers go to */
  constructor(family: AddressFamily, interfaceIndex: number, mac: Uint8Array, source: AddressWords) {
    const frame =
      family === 4 ? buildArpRequest(mac, source[3] >>> 0) : buildNeighbourSolicitation(mac, source);
    this.family = family;
    this.frame = new PinnedMemory(frame.length);
    this.frame.bytes.set(frame);
    writeSockaddrLl(this.link.view, 0, family === 4 ? ETH_P_ARP : ETH_P_IPV6, interfaceIndex);
  }

  setTarget(target: AddressWords): void {
    const { bytes, view } = this.frame;
    if (this.family === 4) view.setInt32(TARGET_AT, target[3]);
    else solicit(bytes, view, target);
  }
}

export class NeighbourSocket {
  readonly fd: number;
  private readonly answer = new PinnedMemory(ETHERNET_BYTES + ANSWER_BYTES);
  /** The answer without its Ethernet header. */
  private readonly bytes = new Uint8Array(this.answer.buffer, ETHERNET_BYTES);
  private readonly view = new DataView(this.answer.buffer, ETHERNET_BYTES);
  private readonly from = new PinnedMemory(SOCKADDR_LL_BYTES);
  private readonly fromLength = new PinnedMemory(4);

  /** @throws SystemCallError EPERM without CAP_NET_RAW */
  constructor() {
    // Protocol 0: nothing is received before the filter is in place.
    this.fd = checked(
      libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0),
      "socket",
      "opening a packet socket",
    );
    try {
      attachFilter(this.fd, ANSWERS_ONLY);
      const everywhere = new PinnedMemory(SOCKADDR_LL_BYTES);
      writeSockaddrLl(everywhere.view, 0, ETH_P_ALL, 0);
      checked(libc.bind(this.fd, everywhere.address, SOCKADDR_LL_BYTES), "bind", "listening for neighbours");
    } catch (error) {
      libc.close(this.fd);
      throw error;
    }
  }

  /** A request that the kernel cannot take now is lost: ask again later. */
  ask({ frame, link }: NeighbourRequest): void {
    libc.sendto(this.fd, frame.address, frame.bytes.length, MSG_DONTWAIT, link.address, SOCKADDR_LL_BYTES);
  }

  /** Takes in what has come, without waiting. */
  receive(read: NeighbourReader): void {
    const { answer, bytes, view, from, fromLength } = this;
    for (let packets = 0; packets < MAX_PACKETS_AT_ONCE; packets++) {
      fromLength.view.setUint32(0, SOCKADDR_LL_BYTES, true);
      const received = libc.recvfrom(
        this.fd,
        answer.address,
        answer.bytes.length,
        MSG_DONTWAIT,
        from.address,
        fromLength.address,
      );
      if (received < 0) return;
      if (from.view.getUint8(SLL_PKTTYPE_AT) === PACKET_OUTGOING) continue;
      const interfaceIndex = from.view.getInt32(SLL_IFINDEX_AT, true);
      const length = received - ETHERNET_BYTES;
      if (answer.view.getUint16(12) === ETH_P_ARP) {
        const reply = parseArpReply(view, length);
        if (reply !== undefined) {
          read(4, interfaceIndex, wordsOfIpv4(reply.address), reply.macHigh, reply.macLow);
        }
      } else {
        const reply = parseNeighbourAdvertisement(bytes, view, length);
        if (reply !== undefined) read(6, interfaceIndex, reply.target, reply.macHigh, reply.macLow);
      }
    }
  }

  close(): void {
    libc.close(this.fd);
  }
}

const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const JUMP_EQUAL = 0x15;
const RETURN = 0x06;

/** Everything that this host sends and receives passes here: ARP replies and neighbour advertisements go on. */
const ANSWERS_ONLY: readonly Instruction[] = [
  /*  0 */ [LOAD_HALF, 0, 0, 12],
  /*  1 */ [JUMP_EQUAL, 0, 2, ETH_P_ARP],
  /*  2 */ [LOAD_HALF, 0, 0, ETHERNET_BYTES + 6],
  /*  3 */ [JUMP_EQUAL, 7, 8, ARP_REPLY],
  /*  4 */ [JUMP_EQUAL, 0, 7, ETH_P_IPV6],
  /*  5 */ [LOAD_BYTE, 0, 0, ETHERNET_BYTES + 6],
  /*  6 */ [JUMP_EQUAL, 0, 5, NEXT_HEADER_ICMPV6],
  /*  7 */ [LOAD_BYTE, 0, 0, ETHERNET_BYTES + 7],
  /*  8 */ [JUMP_EQUAL, 0, 3, NDP_HOP_LIMIT],
  /*  9 */ [LOAD_BYTE, 0, 0, ETHERNET_BYTES + 40],
  /* 10 */ [JUMP_EQUAL, 0, 1, TYPE_ADVERTISEMENT],
  /* 11 */ [RETURN, 0, 0, ETHERNET_BYTES + ANSWER_BYTES],
  /* 12 */ [RETURN, 0, 0, 0],
];
