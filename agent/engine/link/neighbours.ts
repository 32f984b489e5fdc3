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
import { countRanges, type NumberRange } from "#shared/net/ranges.ts";
import { ARP_REQUEST_BYTES, buildArpRequest, parseArpReply, TARGET_AT } from "../packet/arp.ts";
import { Pacer } from "../pacer.ts";
import { numberOfAddress, numberRanges } from "../targets/space.ts";
import { SOCKADDR_LL_BYTES, writeSockaddrLl } from "./socket-address.ts";

/** How long each round waits for answers; answers to earlier rounds count in later ones. Absent hosts cost all of it. */
const ROUND_WAIT_MS = [150, 250, 500] as const;
/** Broadcasts burden every host of the link, whatever rate the scan may have. */
const MAX_ARP_PPS = 5_000;
/** A flood of ARP must not keep the search from ending. */
const MAX_PACKETS_AT_ONCE = 1_000;

export interface Link {
  readonly interfaceIndex: number;
  readonly mac: Uint8Array;
  readonly source: number;
}

/**
 * The asked-for addresses, numbered along their ranges as in a probe space, and the MAC address of each as its upper 16
 * and lower 32 bits; 0 and 0 where nobody answered.
 */
export interface Neighbours {
  readonly starts: Float64Array;
  readonly offsets: Float64Array;
  readonly macHigh: Uint16Array;
  readonly macLow: Int32Array;
}

/** Number of `address` among the asked-for, or -1. */
export function neighbourNumber({ starts, offsets }: Neighbours, address: number): number {
  return numberOfAddress(starts, offsets, address);
}

export function isResolved({ macHigh, macLow }: Neighbours, number: number): boolean {
  return (macHigh[number] ?? 0) !== 0 || (macLow[number] ?? 0) !== 0;
}

/**
 * Asks for every address of the ranges, all of them together: the waiting is done once, however many ranges there are.
 * @param ranges addresses on the link, sorted and disjoint
 * @param ratePps the scan's present limit; 0 is unlimited
 * @param stopped true ends the search with what was found
 * @throws SystemCallError
 */
export function resolveNeighbours(
  link: Link,
  ranges: readonly NumberRange[],
  ratePps: () => number,
  stopped: () => boolean,
): Neighbours {
  const { starts, offsets } = numberRanges(ranges);
  const count = countRanges(ranges);
  const found: Neighbours = {
    starts,
    offsets,
    macHigh: new Uint16Array(count),
    macLow: new Int32Array(count),
  };
  const arp = new ArpSocket(link);
  try {
    const pacer = new Pacer(arpRate(ratePps()), performance.now());
    let missing = count;
    /** Passes at most `ms`, taking in answers. False when there is no use in going on. */
    const pass = (ms: number): boolean => {
      missing -= arp.receive(Math.ceil(ms), found);
      return missing > 0 && !stopped();
    };
    for (const waitMs of ROUND_WAIT_MS) {
      for (const range of ranges) {
        for (let address = range.first; address <= range.last; address++) {
          if (isResolved(found, neighbourNumber(found, address))) continue;
          pacer.setRate(arpRate(ratePps()), performance.now());
          while (pacer.take(performance.now(), 1) === 0) {
            if (!pass(pacer.waitMs(performance.now()))) return found;
          }
          arp.ask(address);
        }
      }
      const untilMs = performance.now() + waitMs;
      for (let leftMs = waitMs; leftMs > 0; leftMs = untilMs - performance.now()) {
        if (!pass(leftMs)) return found;
      }
    }
    return found;
  } finally {
    arp.close();
  }
}

function arpRate(ratePps: number): number {
  return ratePps === 0 ? MAX_ARP_PPS : Math.min(ratePps, MAX_ARP_PPS);
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

  /** Waits up to `timeoutMs` for answers, at most 100 ms. Returns how many addresses became known. */
  receive(timeoutMs: number, found: Neighbours): number {
    if (libc.poll(this.pollSet.address, 1, Math.min(timeoutMs, 100)) <= 0) return 0;
    let added = 0;
    for (let packets = 0; packets < MAX_PACKETS_AT_ONCE; packets++) {
      const length = libc.recv(this.listener, this.reply.address, this.reply.bytes.length, MSG_DONTWAIT);
      if (length < 0) break;
      const answer = parseArpReply(this.reply.view, length);
      const number = answer === undefined ? -1 : neighbourNumber(found, answer.address);
      if (answer === undefined || number < 0 || isResolved(found, number)) continue;
      found.macHigh[number] = answer.macHigh;
      found.macLow[number] = answer.macLow;
      added++;
    }
    return added;
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
