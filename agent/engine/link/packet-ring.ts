/**
 * One AF_PACKET TPACKET_V3 ring (Documentation/networking/packet_mmap.rst): the kernel writes packets of one protocol into
 * shared blocks and hands over whole blocks, so that nothing is copied and no call is made per packet.
 */

import { checked, errno, libc, SystemCallError } from "../../ffi/libc.ts";
import {
  AF_PACKET,
  ETH_P_IP,
  ETH_P_IPV6,
  MAP_SHARED,
  PACKET_OUTGOING,
  PACKET_RX_RING,
  PACKET_STATISTICS,
  PACKET_VERSION,
  PROT_READ,
  PROT_WRITE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_PACKET,
  TP_STATUS_KERNEL,
  TP_STATUS_USER,
  TPACKET_V3,
} from "../../ffi/constants.ts";
import { type Address, mappedAddress, mappedBytes, PinnedMemory } from "../../ffi/memory.ts";
import type { AddressFamily } from "../targets/address-words.ts";
import { replyFilter } from "./reply-filter.ts";
import { SOCKADDR_LL_BYTES, writeSockaddrLl } from "./socket-address.ts";
import { attachFilter } from "./socket-filter.ts";

const BLOCK_BYTES = 1024 * 1024;
const FRAME_BYTES = 2_048;

// struct tpacket_block_desc with tpacket_hdr_v1, and struct tpacket3_hdr with sockaddr_ll behind it (linux/if_packet.h)
const BLOCK_STATUS_WORD = 2;
const BLOCK_PACKETS = 12;
const BLOCK_FIRST_PACKET = 16;
const PACKET_NEXT = 0;
const PACKET_SECONDS = 4;
const PACKET_NANOSECONDS = 8;
const PACKET_CAPTURED = 12;
const PACKET_NETWORK = 26;
const PACKET_TYPE = 48 + 10;

/**
 * Called once a packet, with the place of its IP header in the ring and the wall clock at which the kernel got it.
 * The memory is the packet's only until the call returns.
 */
export type OnPacket = (
  view: DataView,
  at: number,
  length: number,
  seconds: number,
  nanoseconds: number,
) => void;

export class PacketRing {
  readonly fd: number;
  private readonly blocks: number;
  private readonly mapped: Address;
  private readonly view: DataView;
  private readonly words: Int32Array;
  private readonly statistics = new PinnedMemory(16);
  private readonly statisticsLength = new PinnedMemory(4);
  private block = 0;
  private drops = 0;

  /**
   * Listens on every interface for answers to `portCount` ports from `firstPort` on. A socket for one protocol, because
   * one for all of them would see every packet that this host sends, and those of a bridge twice.
   * @param blocks of 1 MiB each, which count as this process's memory at once
   * @param retireMs a block that is not full is handed over after this
   * @throws SystemCallError EPERM without CAP_NET_RAW
   */
  constructor(family: AddressFamily, firstPort: number, portCount: number, blocks: number, retireMs: number) {
    this.blocks = blocks;
    // Protocol 0: nothing is queued before the filter stands and `bind` names the protocol.
    this.fd = checked(
      libc.socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
      "socket",
      "opening a packet socket",
    );
    try {
      attachFilter(this.fd, replyFilter(family, firstPort, firstPort + portCount - 1));
      const bytes = blocks * BLOCK_BYTES;
      this.setOption(PACKET_VERSION, [TPACKET_V3]);
      const frames = bytes / FRAME_BYTES;
      this.setOption(PACKET_RX_RING, [BLOCK_BYTES, blocks, FRAME_BYTES, frames, retireMs, 0, 0]);
      const name = new PinnedMemory(SOCKADDR_LL_BYTES);
      writeSockaddrLl(name.view, 0, family === 4 ? ETH_P_IP : ETH_P_IPV6, 0);
      checked(libc.bind(this.fd, name.address, SOCKADDR_LL_BYTES), "bind", "receiving on every interface");
      const address = mappedAddress(libc.mmap(null, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, this.fd, 0));
      if (address === undefined) throw new SystemCallError("mmap", errno(), "mapping the receive ring");
      this.mapped = address;
      const buffer = mappedBytes(address, bytes);
      this.view = new DataView(buffer);
      this.words = new Int32Array(buffer);
    } catch (error) {
      libc.close(this.fd);
      throw error;
    }
  }

  hasBlock(): boolean {
    return (Atomics.load(this.words, this.statusWord()) & TP_STATUS_USER) !== 0;
  }

  /** Hands over every packet of every full block. */
  readBlocks(onPacket: OnPacket): void {
    // Once round at most: whoever floods us must not keep the caller from looking up.
    for (let blocks = 0; blocks < this.blocks && this.hasBlock(); blocks++) {
      this.readBlock(onPacket);
      Atomics.store(this.words, this.statusWord(), TP_STATUS_KERNEL);
      this.block = (this.block + 1) % this.blocks;
    }
  }

  /** Packets that the kernel had no room for, since the ring was made. */
  kernelDrops(): number {
    const { view, address } = this.statistics;
    this.statisticsLength.view.setUint32(0, 16, true);
    // Reading resets the kernel's counters.
    const result = libc.getsockopt(
      this.fd,
      SOL_PACKET,
      PACKET_STATISTICS,
      address,
      this.statisticsLength.address,
    );
    if (result === 0) this.drops += view.getUint32(4, true);
    return this.drops;
  }

  close(): void {
    libc.munmap(this.mapped, this.blocks * BLOCK_BYTES);
    libc.close(this.fd);
  }

  private statusWord(): number {
    return (this.block * BLOCK_BYTES) / 4 + BLOCK_STATUS_WORD;
  }

  private readBlock(onPacket: OnPacket): void {
    const { view } = this;
    const start = this.block * BLOCK_BYTES;
    const packets = view.getUint32(start + BLOCK_PACKETS, true);
    let at = start + view.getUint32(start + BLOCK_FIRST_PACKET, true);
    for (let i = 0; i < packets; i++) {
      // What is sent over loopback may be seen twice: leaving, and arriving.
      if (view.getUint8(at + PACKET_TYPE) !== PACKET_OUTGOING) {
        onPacket(
          view,
          at + view.getUint16(at + PACKET_NETWORK, true),
          view.getUint32(at + PACKET_CAPTURED, true),
          view.getUint32(at + PACKET_SECONDS, true),
          view.getUint32(at + PACKET_NANOSECONDS, true),
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
