/**
 * Packets waiting to go out together: one `sendmmsg` for many, because a system call costs more than building a packet.
 * Owns the memory that the kernel reads; what is in a packet is its callers' business.
 */

import { SO_SNDBUF, SOL_SOCKET } from "../../ffi/constants.ts";
import { errno, errnoName, libc } from "../../ffi/libc.ts";
import { PinnedMemory } from "../../ffi/memory.ts";

/** Packets in one system call. More gains nothing and makes pacing coarser. */
export const BATCH_PACKETS = 64;

/** Room for one packet; a power of two above the longest that is sent. */
const SLOT_BYTES = 64;

// struct iovec (sys/uio.h) and struct mmsghdr (sys/socket.h), 64-bit
const IOVEC_BYTES = 16;
const MMSGHDR_BYTES = 64;
const MSG_NAME = 0;
const MSG_NAMELEN = 8;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;

/** The queue of the network card is full: the packet is fine, the moment is not. */
const TRANSIENT = new Set(["EAGAIN", "ENOBUFS", "ENOMEM"]);
const MAX_TRANSIENT_RETRIES = 2_000;
const RETRY_WAIT_MS = 1;

const SEND_BUFFER_BYTES = 4 * 1024 * 1024;

export class SendBatch {
  /** Packets and, one after the other, the socket addresses that they go to. */
  readonly packets: DataView;
  readonly names: DataView;
  count = 0;
  /** Packets that the kernel refused, and the last reason. */
  refused = 0;
  lastRefusal = "";
  private readonly fd: number;
  private readonly nameBytes: number;
  private readonly headers = new PinnedMemory(BATCH_PACKETS * MMSGHDR_BYTES);
  /** Referenced for as long as the kernel may read through `headers`. */
  private readonly pinned: readonly PinnedMemory[];
  private readonly idle: Int32Array;

  constructor(fd: number, packet: Uint8Array, nameBytes: number) {
    const slots = new PinnedMemory(BATCH_PACKETS * SLOT_BYTES);
    const vectors = new PinnedMemory(BATCH_PACKETS * IOVEC_BYTES);
    const names = new PinnedMemory(BATCH_PACKETS * nameBytes);
    for (let slot = 0; slot < BATCH_PACKETS; slot++) {
      slots.bytes.set(packet, slot * SLOT_BYTES);
      vectors.writePointer(slot * IOVEC_BYTES, slots, slot * SLOT_BYTES);
      vectors.view.setUint32(slot * IOVEC_BYTES + 8, packet.length, true);
      const header = slot * MMSGHDR_BYTES;
      this.headers.writePointer(header + MSG_NAME, names, slot * nameBytes);
      this.headers.view.setUint32(header + MSG_NAMELEN, nameBytes, true);
      this.headers.writePointer(header + MSG_IOV, vectors, slot * IOVEC_BYTES);
      this.headers.view.setUint32(header + MSG_IOVLEN, 1, true);
    }
    setSendBuffer(fd);
    this.fd = fd;
    this.nameBytes = nameBytes;
    this.packets = slots.view;
    this.names = names.view;
    this.pinned = [slots, vectors, names];
    this.idle = new Int32Array(new SharedArrayBuffer(4));
  }

  /** Where the next packet begins in `packets`; `nameAt` likewise in `names`. */
  packetAt(): number {
    return this.count * SLOT_BYTES;
  }

  nameAt(): number {
    return this.count * this.nameBytes;
  }

  /**
   * Sends all that waits and empties the batch.
   * @returns packets that went out; the others were refused and are counted
   */
  flush(): number {
    const total = this.count;
    this.count = 0;
    let done = 0;
    let sent = 0;
    let retries = 0;
    while (done < total) {
      const result = libc.sendmmsg(this.fd, this.headers.addressOf(done * MMSGHDR_BYTES), total - done, 0);
      if (result > 0) {
        done += result;
        sent += result;
        continue;
      }
      const reason = errnoName(errno());
      if (reason === "EINTR") continue;
      if (TRANSIENT.has(reason) && retries < MAX_TRANSIENT_RETRIES) {
        retries++;
        Atomics.wait(this.idle, 0, 0, RETRY_WAIT_MS);
        continue;
      }
      // The kernel names the first packet that it refuses: leave that one out, go on with the rest.
      this.refused++;
      this.lastRefusal = reason;
      done++;
    }
    return sent;
  }

  close(): void {
    libc.close(this.fd);
    this.pinned.forEach(({ bytes }) => bytes.fill(0));
  }
}

/** Best effort: the kernel caps it at wmem_max, and a smaller buffer only means shorter batches. */
function setSendBuffer(fd: number): void {
  const value = new PinnedMemory(4);
  value.view.setInt32(0, SEND_BUFFER_BYTES, true);
  libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, value.address, 4);
}
