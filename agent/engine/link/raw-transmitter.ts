/**
 * Sends IP packets through a raw socket that takes them whole (raw(7), ipv6(7)). The kernel routes each by itself, so this
 * works on every interface: loopback, tunnels, PPP. Where we can write frames that is faster, and does not wait for the
 * kernel's own address resolution of hosts that are not there.
 */

import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPPROTO_RAW,
  IPV6_HDRINCL,
  SO_BINDTODEVICE,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_SOCKET,
} from "../../ffi/constants.ts";
import { checked, libc } from "../../ffi/libc.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import type { AddressFamily } from "../targets/address-words.ts";
import { SendBatch } from "./send-batch.ts";
import { SOCKADDR_IN_BYTES, writeSockaddrIn } from "./socket-address.ts";
import { BATCH_PACKETS, SLOT_BYTES, type Transmitter, type Wait } from "./transmitter.ts";

/** Where an IP header has the address that a packet goes to. */
const IPV4_DESTINATION = 16;
const IPV6_DESTINATION = 24;

// struct sockaddr_in6 (linux/in6.h): family, port, flow label, address, scope
const SOCKADDR_IN6_BYTES = 28;
const SIN6_ADDRESS = 8;

export class RawTransmitter implements Transmitter {
  readonly link = "raw";
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly headerBytes = 0;
  readonly slotCount = BATCH_PACKETS;
  private readonly batch: SendBatch;
  private readonly family: AddressFamily;

  /**
   * @param interfaceName the only interface to send through; undefined leaves it to the kernel's routes
   * @throws SystemCallError EPERM without CAP_NET_RAW
   */
  constructor(family: AddressFamily, interfaceName: string | undefined, wait: Wait) {
    // IPPROTO_RAW implies IP_HDRINCL.
    const domain = family === 4 ? AF_INET : AF_INET6;
    const fd = checked(
      libc.socket(domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW),
      "socket",
      "opening a raw IP socket",
    );
    if (family === 6) includeHeader(fd);
    if (interfaceName !== undefined) bindToInterface(fd, interfaceName);
    this.family = family;
    this.batch = new SendBatch(fd, family === 4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES, wait);
    this.view = this.batch.view;
    this.bytes = this.batch.bytes;
    // What is the same for every target: all but the address.
    for (let slot = 0; slot < BATCH_PACKETS; slot++) {
      if (family === 6) this.batch.names.setUint16(slot * SOCKADDR_IN6_BYTES, AF_INET6, true);
    }
  }

  room(): number {
    return BATCH_PACKETS - this.batch.taken;
  }

  nextSlot(): number {
    return this.batch.taken++;
  }

  commit(slot: number, lengthBytes: number): void {
    const { view, batch } = this;
    const at = slot * SLOT_BYTES;
    if (this.family === 4) {
      writeSockaddrIn(batch.names, slot * SOCKADDR_IN_BYTES, view.getUint32(at + IPV4_DESTINATION), 0);
    } else {
      const from = at + IPV6_DESTINATION;
      const to = slot * SOCKADDR_IN6_BYTES + SIN6_ADDRESS;
      for (let byte = 0; byte < 16; byte += 4) batch.names.setInt32(to + byte, view.getInt32(from + byte));
    }
    batch.commit(slot, lengthBytes);
  }

  flush(): number {
    return this.batch.flush();
  }

  get refused(): number {
    return this.batch.refused;
  }

  get lastRefusal(): string {
    return this.batch.lastRefusal;
  }

  close(): void {
    this.batch.close();
  }
}

/** Since Linux 4.5 the option can be set by name. It is on for IPPROTO_RAW anyway, so an older kernel may refuse. */
function includeHeader(fd: number): void {
  const on = new PinnedMemory(4);
  on.view.setInt32(0, 1, true);
  libc.setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, on.address, 4);
}

function bindToInterface(fd: number, interfaceName: string): void {
  const name = new TextEncoder().encode(interfaceName);
  const value = new PinnedMemory(name.length);
  value.bytes.set(name);
  checked(
    libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, value.address, name.length),
    "setsockopt(SO_BINDTODEVICE)",
    `sending through ${interfaceName}`,
  );
}
