/** Receives the answers of a scan: one ring for each address family that is in use, and one wait for both. */

import { libc } from "../../ffi/libc.ts";
import { POLLIN } from "../../ffi/constants.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import type { AddressFamily } from "../targets/address-words.ts";
import { type OnPacket, PacketRing } from "./packet-ring.ts";

/** A block that is not full is handed over after this, so it bounds how late an answer is seen. */
export const RETIRE_MS = 60;

/**
 * Blocks of all rings together. All of it counts as the agent's memory from the start, whatever comes in; a million
 * answers a second fill it in about 0.4 s.
 */
const TOTAL_BLOCKS = 24;

const POLLFD_BYTES = 8;

export class ReceiveRing {
  private readonly rings: readonly PacketRing[];
  private readonly pollSet: PinnedMemory;

  /**
   * Listens on every interface for answers to `portCount` ports from `firstPort` on.
   * @throws SystemCallError EPERM without CAP_NET_RAW
   */
  constructor(families: readonly AddressFamily[], firstPort: number, portCount: number) {
    const rings: PacketRing[] = [];
    try {
      for (const family of families) {
        rings.push(
          new PacketRing(family, firstPort, portCount, Math.floor(TOTAL_BLOCKS / families.length), RETIRE_MS),
        );
      }
    } catch (error) {
      rings.forEach((ring) => ring.close());
      throw error;
    }
    this.rings = rings;
    this.pollSet = new PinnedMemory(rings.length * POLLFD_BYTES);
    rings.forEach(({ fd }, i) => {
      this.pollSet.view.setInt32(i * POLLFD_BYTES, fd, true);
      this.pollSet.view.setInt16(i * POLLFD_BYTES + 4, POLLIN, true);
    });
  }

  /** Waits up to `timeoutMs` for a block, then hands over every packet of every full block. */
  receive(timeoutMs: number, onPacket: OnPacket): void {
    if (!this.rings.some((ring) => ring.hasBlock())) {
      libc.poll(this.pollSet.address, this.rings.length, timeoutMs);
    }
    for (const ring of this.rings) ring.readBlocks(onPacket);
  }

  /** Packets that the kernel had no room for, since the rings were made. */
  kernelDrops(): number {
    return this.rings.reduce((drops, ring) => drops + ring.kernelDrops(), 0);
  }

  close(): void {
    for (const ring of this.rings) ring.close();
  }
}
