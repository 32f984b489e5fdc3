/**
 * Finds the MAC address behind each next hop by ARP: gateways, and targets on the link itself.
 * Hosts on the link that do not answer are not there; probing their ports would only wait for nothing.
 */

import { checked, libc } from "../../ffi/libc.ts";
import {
  AF_PACKET,
  ETH_P_ARP,
  MSG_DONTWAIT,
  POLLIN,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_RAW,
} from "../../ffi/constants.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import { ARP_REQUEST_BYTES, buildArpRequest, parseArpReply, TARGET_AT } from "../packet/arp.ts";
import { Pacer } from "../pacer.ts";
import { SOCKADDR_LL_BYTES, writeSockaddrLl } from "./socket-address.ts";

/** How long each round waits for answers; answers to earlier rounds count in later ones. Absent hosts cost all of it. */
const ROUND_WAIT_MS = [150, 250, 500] as const;
/** Broadcasts burden every host of the link, whatever rate the scan may have. */
const MAX_ARP_PPS = 5_000;

export interface Link {
  readonly interfaceIndex: number;
  readonly mac: Uint8Array;
  readonly source: number;
}

/** Found MAC addresses as upper 16 and lower 32 bits, along `first`, `first + 1`, …; 0 and 0 where nobody answered. */
export interface Neighbours {
  readonly first: number;
  readonly macHigh: Uint16Array;
  readonly macLow: Int32Array;
}

/**
 * Asks for every address from `first` to `last` on the link.
 * @param ratePps the scan's own limit; 0 is unlimited
 * @param stopped asked between requests; true ends the search with what was found
 * @throws SystemCallError
 */
export function resolveNeighbours(
  link: Link,
  first: number,
  last: number,
  ratePps: number,
  stopped: () => boolean,
): Neighbours {
  const count = last - first + 1;
  const found: Neighbours = {
    first,
    macHigh: new Uint16Array(count),
    macLow: new Int32Array(count),
  };
  const arp = new ArpSocket(link);
  try {
    const pacer = new Pacer(Math.min(ratePps === 0 ? MAX_ARP_PPS : ratePps, MAX_ARP_PPS), performance.now());
    let missing = count;
    for (const waitMs of ROUND_WAIT_MS) {
      for (let i = 0; i < count && missing > 0 && !stopped(); i++) {
        if (isResolved(found, i)) continue;
        while (pacer.take(performance.now(), 1) === 0) {
          missing -= arp.receive(Math.ceil(pacer.waitMs(performance.now())), found);
        }
        if (!isResolved(found, i)) arp.ask(first + i);
      }
      const untilMs = performance.now() + waitMs;
      while (missing > 0 && !stopped()) {
        const leftMs = untilMs - performance.now();
        if (leftMs <= 0) break;
        missing -= arp.receive(Math.ceil(leftMs), found);
      }
    }
    return found;
  } finally {
    arp.close();
  }
}

function isResolved(neighbours: Neighbours, i: number): boolean {
  return neighbours.macHigh[i] !== 0 || neighbours.macLow[i] !== 0;
}

/** Asks on one socket and listens on another, both bound to one interface. */
class ArpSocket {
  private readonly sender: number;
  private readonly listener: number;
  private readonly request = new PinnedMemory(ARP_REQUEST_BYTES);
  private readonly reply = new PinnedMemory(128);
  private readonly pollSet = new PinnedMemory(8);

  constructor(link: Link) {
    this.request.bytes.set(buildArpRequest(link.mac, link.source));
    this.sender = openOn(link.interfaceIndex, SOCK_RAW, 0);
    this.listener = openOn(link.interfaceIndex, SOCK_DGRAM, ETH_P_ARP);
    this.pollSet.view.setInt32(0, this.listener, true);
    this.pollSet.view.setInt16(4, POLLIN, true);
  }

  /** A request that the kernel cannot take now is asked again in the next round. */
  ask(address: number): void {
    this.request.view.setUint32(TARGET_AT, address);
    libc.sendto(this.sender, this.request.address, ARP_REQUEST_BYTES, MSG_DONTWAIT, null, 0);
  }

  /** Waits up to `timeoutMs` for answers. Returns how many addresses became known. */
  receive(timeoutMs: number, found: Neighbours): number {
    if (libc.poll(this.pollSet.address, 1, Math.min(timeoutMs, 100)) <= 0) return 0;
    let added = 0;
    for (;;) {
      const length = libc.recv(this.listener, this.reply.address, this.reply.bytes.length, MSG_DONTWAIT);
      if (length < 0) return added;
      const answer = parseArpReply(this.reply.view, length);
      const i = answer === undefined ? -1 : answer.address - found.first;
      if (answer === undefined || i < 0 || i >= found.macHigh.length || isResolved(found, i)) continue;
      found.macHigh[i] = answer.macHigh;
      found.macLow[i] = answer.macLow;
      added++;
    }
  }

  close(): void {
    libc.close(this.sender);
    libc.close(this.listener);
  }
}

function openOn(interfaceIndex: number, type: number, etherType: number): number {
  const fd = checked(libc.socket(AF_PACKET, type | SOCK_CLOEXEC, 0), "socket", "opening a packet socket");
  const name = new PinnedMemory(SOCKADDR_LL_BYTES);
  writeSockaddrLl(name.view, 0, etherType, interfaceIndex);
  checked(libc.bind(fd, name.address, SOCKADDR_LL_BYTES), "bind", "sending ARP on the interface");
  return fd;
}
