/**
 * Receives through an AF_PACKET TPACKET_V3 ring (Documentation/networking/packet_mmap.rst): the kernel writes packets
 * into shared blocks and hands over whole blocks, so that nothing is copied and no call is made per packet.
 */

import { checked, libc } from "../../ffi/libc.ts";
import {
  AF_PACKET,
  ETH_P_IP,
  MAP_SHARED,
  PACKET_OUTGOING,
  PACKET_RX_RING,
  PACKET_STATISTICS,
  PACKET_VERSION,
  POLLIN,
  PROT_READ,
  PROT_WRITE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_PACKET,
  TP_STATUS_KERNEL,
  TP_STATUS_USER,
  TPACKET_V3,
} from "../../ffi/constants.ts";
import { mappedAddress, mappedBytes, PinnedMemory, type Address } from "../../ffi/memory.ts";
import { PortolanError } from "#shared/errors.ts";
import { attachReplyFilter } from "./reply-filter.ts";
import { SOCKADDR_LL_BYTES, writeSockaddrLl } from "./socket-address.ts";

const BLOCK_BYTES = 1024 * 1024;
const BLOCKS = 32;
const FRAME_BYTES = 2_048;
/** A block that is not full is handed over after this, so it bounds how late an answer is seen. */
export const RETIRE_MS = 60;

// struct tpacket_block_desc with tpacket_hdr_v1, and struct tpacket3_hdr with sockaddr_ll behind it (linux/if_packet.h)
const BLOCK_STATUS_WORD = 2;
const BLOCK_PACKETS = 12;
const BLOCK_FIRST_PACKET = 16;
const PACKET_NEXT = 0;
const PACKET_CAPTURED = 12;
const PACKET_NETWORK = 26;
const PACKET_TYPE = 48 + 10;

/** Called once a packet with the place of its IP header in the ring. */
export type OnPacket = (view: DataView, at: number, length: number) => void;

export class ReceiveRing {
  private readonly fd: number;
  private readonly mapped: Address;
  private readonly view: DataView;
  private readonly words: Int32Array;
  private readonly pollSet = new PinnedMemory(8);
  private readonly statistics = new PinnedMemory(16);
  private block = 0;
  private drops = 0;

  /**
   * Listens on every interface for answers to `portCount` ports from `firstPort` on.
   * @throws SystemCallError EPERM without CAP_NET_RAW
   */
  constructor(firstPort: number, portCount: number) {
    // Protocol 0: nothing is queued before the filter stands and `bind` names the protocol.
    this.fd = checked(
      libc.socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
      "socket",
      "opening a packet socket",
    );
    attachReplyFilter(this.fd, firstPort, portCount);
    this.setOption(PACKET_VERSION, [TPACKET_V3]);
    const request = [BLOCK_BYTES, BLOCKS, FRAME_BYTES, (BLOCK_BYTES / FRAME_BYTES) * BLOCKS, RETIRE_MS, 0, 0];
    this.setOption(PACKET_RX_RING, request);
    const length = BLOCK_BYTES * BLOCKS;
    const address = mappedAddress(libc.mmap(null, length, PROT_READ | PROT_WRITE, MAP_SHARED, this.fd, 0));
    if (address === undefined) {
      throw new PortolanError("RING_UNAVAILABLE", `cannot map a receive ring of ${length >> 20} MiB`);
    }
    this.mapped = address;
    const memory = mappedBytes(address, length);
    this.view = new DataView(memory);
    this.words = new Int32Array(memory);

    const name = new PinnedMemory(SOCKADDR_LL_BYTES);
    writeSockaddrLl(name.view, 0, ETH_P_IP, 0);
    checked(libc.bind(this.fd, name.address, SOCKADDR_LL_BYTES), "bind", "receiving on every interface");
    this.pollSet.view.setInt32(0, this.fd, true);
    this.pollSet.view.setInt16(4, POLLIN, true);
  }

  /** Waits up to `timeoutMs` for a block, then hands over every packet of every full block. */
  receive(timeoutMs: number, onPacket: OnPacket): void {
    if (!this.blockReady()) libc.poll(this.pollSet.address, 1, timeoutMs);
    // Once round at most: whoever floods us must not keep the caller from looking up.
    for (let blocks = 0; blocks < BLOCKS && this.blockReady(); blocks++) {
      this.readBlock(onPacket);
      Atomics.store(this.words, this.statusWord(), TP_STATUS_KERNEL);
      this.block = (this.block + 1) % BLOCKS;
    }
  }

  /** Packets that the kernel had no room for, since the ring was made. */
  kernelDrops(): number {
    const { view } = this.statistics;
    const length = new PinnedMemory(4);
    length.view.setUint32(0, 16, true);
    // Reading resets the kernel's counters.
    if (
      libc.getsockopt(this.fd, SOL_PACKET, PACKET_STATISTICS, this.statistics.address, length.address) === 0
    ) {
      this.drops += view.getUint32(4, true);
    }
    return this.drops;
  }

  close(): void {
    libc.munmap(this.mapped, BLOCK_BYTES * BLOCKS);
    libc.close(this.fd);
  }

  private statusWord(): number {
    return (this.block * BLOCK_BYTES) / 4 + BLOCK_STATUS_WORD;
  }

  private blockReady(): boolean {
    return (Atomics.load(this.words, this.statusWord()) & TP_STATUS_USER) !== 0;
  }

  private readBlock(onPacket: OnPacket): void {
    const { view } = this;
    const start = this.block * BLOCK_BYTES;
    const packets = view.getUint32(start + BLOCK_PACKETS, true);
    let at = start + view.getUint32(start + BLOCK_FIRST_PACKET, true);
    for (let i = 0; i < packets; i++) {
      // What is sent over loopback is seen twice: leaving, and arriving.
      if (view.getUint8(at + PACKET_TYPE) !== PACKET_OUTGOING) {
        onPacket(
          view,
          at + view.getUint16(at + PACKET_NETWORK, true),
          view.getUint32(at + PACKET_CAPTURED, true),
        );
      }
      at += view.getUint32(at + PACKET_NEXT, true);
    }
  }

  private setOption(option: number, words: readonly number[]): void {
    const value = new PinnedMemory(words.length * 4);
    words.forEach((word, i) => value.view.setUint32(i * 4, word, true));
    checked(
      libc.setsockopt(this.fd, SOL_PACKET, option, value.address, words.length * 4),
      "setsockopt",
      "making the receive ring",
    );
  }
}
