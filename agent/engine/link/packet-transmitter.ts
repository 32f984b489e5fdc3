/**
 * Sends Ethernet frames through an AF_PACKET socket (packet(7)) bound to one interface, past the kernel's routing and its
 * queueing discipline. Works on every interface with hardware addresses; AF_XDP is faster.
 */

import { AF_PACKET, PACKET_QDISC_BYPASS, SOCK_CLOEXEC, SOCK_RAW, SOL_PACKET } from "../../ffi/constants.ts";
import { checked, libc } from "../../ffi/libc.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import { SendBatch } from "./send-batch.ts";
import { SOCKADDR_LL_BYTES, writeSockaddrLl } from "./socket-address.ts";
import { BATCH_PACKETS, ETHERNET_HEADER, type Transmitter, type Wait } from "./transmitter.ts";

export class PacketTransmitter implements Transmitter {
  readonly link = "packet";
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly headerBytes = ETHERNET_HEADER;
  readonly slotCount = BATCH_PACKETS;
  private readonly batch: SendBatch;

  /** @throws SystemCallError EPERM without CAP_NET_RAW */
  constructor(interfaceIndex: number, wait: Wait) {
    // Protocol 0: this socket sends and must receive nothing.
    const fd = checked(
      libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0),
      "socket",
      "opening a packet socket",
    );
    const name = new PinnedMemory(SOCKADDR_LL_BYTES);
    writeSockaddrLl(name.view, 0, 0, interfaceIndex);
    try {
      checked(libc.bind(fd, name.address, SOCKADDR_LL_BYTES), "bind", "sending frames on the interface");
    } catch (error) {
      libc.close(fd);
      throw error;
    }
    const on = new PinnedMemory(4);
    on.view.setInt32(0, 1, true);
    // Best effort: without it packets pass the queueing discipline, which costs time and nothing else.
    libc.setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, on.address, 4);
    this.batch = new SendBatch(fd, 0, wait);
    this.view = this.batch.view;
    this.bytes = this.batch.bytes;
  }

  room(): number {
    return BATCH_PACKETS - this.batch.taken;
  }

  nextSlot(): number {
    return this.batch.taken++;
  }

  commit(slot: number, lengthBytes: number): void {
    this.batch.commit(slot, lengthBytes);
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
